// Judges what a portal was told of a citizen, with implementations that are none of the gateway's.
//
//     node told.js jwe < request      opens an encrypted token (RFC 7516) and verifies what is in it
//     node told.js sign < request     signs a request (RFC 9421), for the gateway's own code to verify
//
// It takes and gives what tests/conformance/python/told.py does. Its libraries are those of
// deploy/backends/node, looked for in node_modules beside it.

import { createPrivateKey, createSecretKey } from "node:crypto";
import { text } from "node:stream/consumers";
import { createSigner, httpbis } from "http-message-signatures";
import { compactDecrypt, createLocalJWKSet, jwtVerify } from "jose";

async function jwe(given) {
  try {
    const options = {
      keyManagementAlgorithms: ["ECDH-ES"], contentEncryptionAlgorithms: ["A256GCM"],
    };
    const opened = await compactDecrypt(given.token, createPrivateKey(given.key), options);
    const inner = new TextDecoder().decode(opened.plaintext);
    const keys = createLocalJWKSet(given.jwks);
    const { payload } = await jwtVerify(inner, keys, { algorithms: ["ES256"] });
    return { claims: payload, header: opened.protectedHeader };
  } catch (error) {
    return { claims: null, why: String(error) };
  }
}

async function sign(given) {
  const host = given.headers.find(([name]) => name === "host")[1];
  const key = given.secret
    ? createSecretKey(given.secret, "base64")
    : createPrivateKey(given.key);
  const headers = {};
  for (const [name, value] of given.headers) headers[name] = [...(headers[name] ?? []), value];
  const request = { method: given.method, url: `http://${host}${given.target}`, headers };
  const signed = await httpbis.signMessage(
    {
      key: createSigner(key, given.algorithm, "theirs"),
      fields: given.covered,
      params: ["created", "expires", "nonce", "keyid", "alg", "tag"],
      paramValues: { nonce: "n-1", tag: "theirs" },
    },
    request,
  );
  return { input: signed.headers["Signature-Input"], signature: signed.headers["Signature"] };
}

const judge = { jwe, sign }[process.argv[2]];
if (judge === undefined) throw new Error("told.js jwe|sign");
console.log(JSON.stringify(await judge(JSON.parse(await text(process.stdin)))));
