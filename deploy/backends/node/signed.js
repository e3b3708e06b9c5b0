// Asks that the gateway signed each request, when it is told to (docs/identity.md).

// --- who it is
import { createHash, KeyObject, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createVerifier, httpbis } from "http-message-signatures";
import { parseDictionary } from "structured-headers";

const algorithm = process.env.BRAMA_SIGNED; // of the route; left out, nothing is asked
const secretFile = process.env.BRAMA_SECRET_FILE; // the secret of hmac-sha256, as it is
const keyId = process.env.BRAMA_KEY_ID; // its name
const audience = process.env.BRAMA_AUDIENCE; // audience of the route
const ofTokens = { "ecdsa-p256-sha256": "ES256", ed25519: "EdDSA" };
const parts = ["@method", "@authority", "@path", "@query", "x-brama-audience"];
const ours = /^(x-brama-|content-digest$)/; // and what else the portal reads, such as remote-user
const lifetime = 300;
const tolerance = 5;
const nonces = new Map(); // of signatures that are still valid, at this process
let swept = 0;

// Finds a key by its name: the shared one, or one of those of the tokens.
async function findKey(name, published) {
  if (algorithm === "hmac-sha256") {
    if (name !== keyId) throw new Error("an unknown key");
    return readFileSync(secretFile);
  }
  return KeyObject.from(await published({ alg: ofTokens[algorithm], kid: name }));
}

// Throws unless the gateway signed the request. `published` are the keys of the tokens.
export async function verify(request, body, published) {
  if (algorithm === undefined) return;
  const headers = { ...request.headersDistinct };
  if (headers.host?.length !== 1) throw new Error("not one host");
  const [path, ...query] = request.url.split("?");
  // As they came, not as URL writes them.
  const raw = {
    "@method": request.method, "@authority": request.headers.host.toLowerCase().replace(/:80$/, ""),
    "@path": path, "@query": `?${query.join("?")}`,
  };
  const signatures = [];
  const verified = await httpbis.verifyMessage(
    {
      // All that is told, or somebody could tell more than what was signed.
      requiredFields: [
        ...parts,
        ...Object.keys(headers).filter((name) => ours.test(name)),
      ],
      requiredParams: ["created", "expires", "nonce", "keyid", "tag"],
      maxAge: lifetime + tolerance, tolerance,
      componentParser: (name, parameters) =>
        raw[name] === undefined || parameters.size > 0 ? null : [raw[name]],
      keyLookup: async (parameters) => {
        signatures.push(parameters);
        if (parameters.tag !== "brama") throw new Error("not a signature of the gateway");
        const key = await findKey(parameters.keyid, published);
        return { algs: [algorithm], verify: createVerifier(key, algorithm) };
      },
    },
    { method: request.method, url: `http://${request.headers.host}${request.url}`, headers },
  );
  if (verified !== true || signatures.length !== 1) throw new Error("not signed by the gateway");
  const told = headers["x-brama-audience"];
  if (told.length !== 1 || told[0] !== audience) throw new Error("signed for another portal");
  if (headers["content-digest"]) verifyDigest(headers["content-digest"].join(", "), body);
  useOnce(signatures[0].nonce, signatures[0].expires);
}

// A body is proven where its sender made a digest of it (RFC 9530).
function verifyDigest(field, body) {
  const digests = [...parseDictionary(field)].filter(([name]) => /^sha-(256|512)$/.test(name));
  const isRight = ([name, [digest]]) => {
    const expected = createHash(name.replace("-", "")).update(body).digest();
    return digest.byteLength === expected.length && timingSafeEqual(Buffer.from(digest), expected);
  };
  if (digests.length === 0 || !digests.every(isRight)) throw new Error("another body");
}

function useOnce(nonce, expires) {
  const now = Math.floor(Date.now() / 1000) - tolerance;
  // By the clock that the others are forgotten by.
  if (expires < now) throw new Error("its time is over");
  if (now > swept) {
    for (const [known, end] of nonces) if (end < now) nonces.delete(known);
    swept = now; // once a second
  }
  if (nonces.has(nonce)) throw new Error("this request was here before");
  nonces.set(nonce, expires);
}
// --- end
