// Verifies a token with a set of keys, both on standard input as JSON, by what Node's own library
// makes of them; says on standard output whether it is good.

const crypto = require("crypto");
const { token, jwks } = JSON.parse(require("fs").readFileSync(0, "utf8"));

const [head, payload, signature] = token.split(".");
const { alg, kid } = JSON.parse(Buffer.from(head, "base64url"));
const jwk = jwks.keys.find((key) => key.kid === kid);
const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
const kinds = {
  ES256: ["sha256", { key, dsaEncoding: "ieee-p1363" }, "ec"],
  EdDSA: [null, key, "ed25519"],
  RS256: ["sha256", key, "rsa"],
};
const [digest, how, kind] = kinds[alg];
const bytes = Buffer.from(`${head}.${payload}`);
const isGood =
  crypto.verify(digest, bytes, how, Buffer.from(signature, "base64url")) &&
  key.asymmetricKeyType === kind && jwk.alg === alg && jwk.use === "sig" &&
  (kind !== "rsa" || key.asymmetricKeyDetails.modulusLength >= 2048);
console.log(isGood ? "good" : "bad");
