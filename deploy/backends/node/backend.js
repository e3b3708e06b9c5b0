// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { verify } from "./signed.js";

// --- who it is
import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = process.env.BRAMA_ISSUER; // public_url of the gateway
const audience = process.env.BRAMA_AUDIENCE; // audience of the route
// Cached for five minutes, and fetched again when a kid is unknown.
const keys = createRemoteJWKSet(new URL(process.env.BRAMA_JWKS ?? issuer + "/.brama/jwks.json"), {
  cacheMaxAge: 300_000,
});
const levels = ["low", "substantial", "high"];
const least = levels.indexOf(process.env.BRAMA_LEVEL ?? "substantial");
const longest = 8192;

// Returns the claims, undefined when nobody is signed in, or throws.
export async function citizen(request) {
  const tokens = request.headersDistinct["x-brama-assertion"];
  if (tokens === undefined) return undefined;
  if (tokens.length > 1 || tokens[0].length > longest) throw new Error("not one token of the gateway");
  const { payload } = await jwtVerify(tokens[0], keys, {
    issuer, audience, algorithms: ["ES256"], clockTolerance: 10,
    requiredClaims: ["sub", "sid", "iat", "nbf", "exp"],
  });
  return payload;
}

// Whether the level of assurance is the least that is needed here.
export function isSureEnough(claims) {
  return levels.slice(least).some((level) => claims.acr === "http://eidas.europa.eu/LoA/" + level);
}

// Ends a session of your own (of express-session) that another login began.
export function bind(request, claims, next) {
  const login = claims ? `${claims.sub} ${claims.sid}` : "";
  if ((request.session.login ?? "") === login) return next();
  request.session.regenerate((error) => {
    if (!error) request.session.login = login;
    next(error);
  });
}
// --- end

const sessions = new Map(); // of this process only; take express-session with a store

// What express-session does: `request.session`, and another name for one that begins.
function openSession(request) {
  const name = request.headers.cookie?.match(/(?:^|; )visits=([^;]*)/)?.[1];
  const adopt = (session, name) => {
    request.session = session;
    request.sessionName = name;
    session.regenerate = (done) => {
      sessions.delete(request.sessionName);
      adopt({}, randomUUID());
      done();
    };
  };
  adopt(sessions.get(name) ?? {}, name);
}

function answer(response, status, text, cookie) {
  const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
  if (cookie) headers["Set-Cookie"] = cookie;
  response.writeHead(status, headers);
  response.end(`<!doctype html><meta charset="utf-8"><title>Portal</title>${text}\n`);
}

async function bodyOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > 1 << 20) throw new Error("more than this portal takes");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const server = createServer({ maxHeaderSize: 64 * 1024 }, async (request, response) => {
  let claims;
  try {
    await verify(request, await bodyOf(request), keys);
    claims = await citizen(request);
  } catch {
    return answer(response, 401, "<p>This is no identity for this portal.</p>");
  }
  if (claims && !isSureEnough(claims)) {
    return answer(response, 403, "<p>A higher level of assurance is needed.</p>");
  }
  openSession(request);
  bind(request, claims, () => {
    if (!claims) return answer(response, 200, "<p>Nobody is signed in.</p>");
    const visits = (request.session.visits = (request.session.visits ?? 0) + 1);
    sessions.set(request.sessionName, request.session);
    const name = [claims.given_name, claims.family_name].filter(Boolean).join(" ") || claims.sub;
    answer(
      response, 200,
      `<p>Signed in: <strong>${escaped(name)}</strong></p><p>Visit ${visits}</p>`,
      `visits=${request.sessionName}; HttpOnly; SameSite=Lax; Path=/`,
    );
  });
});

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`);
});
