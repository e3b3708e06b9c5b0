<?php
// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

declare(strict_types=1);

// --- who it is
define('ISSUER', getenv('BRAMA_ISSUER'));     // public_url of the gateway
define('AUDIENCE', getenv('BRAMA_AUDIENCE')); // audience of the route
define('KEYS_URL', getenv('BRAMA_JWKS') ?: ISSUER . '/.brama/jwks.json');
// Where nobody but this program may write: whoever does says whom it believes.
define('KEYS_FILE', getenv('BRAMA_KEYS_FILE') ?: __DIR__ . '/keys.json');
define('LEAST', getenv('BRAMA_LEVEL') ?: 'substantial');
const LEVELS = ['low', 'substantial', 'high'];
const LONGEST = 8192;
const LEEWAY = 10;

/** Returns the claims, null when nobody is signed in, or throws. */
function citizen(array $headers): ?array
{
    // Not $_SERVER: it takes X_Brama_Assertion for the same name.
    $headers = array_change_key_case($headers);
    if (!array_key_exists('x-brama-assertion', $headers)) {
        return null;
    }
    $parts = explode('.', $headers['x-brama-assertion']);
    if (count($parts) !== 3 || strlen($headers['x-brama-assertion']) > LONGEST) {
        throw new UnexpectedValueException('not one token of the gateway');
    }
    [$header, $claims, $signature] = array_map('decoded', $parts);
    $header = json_decode($header, true, 8, JSON_THROW_ON_ERROR);
    $claims = json_decode($claims, true, 8, JSON_THROW_ON_ERROR);
    if (($header['alg'] ?? null) !== 'ES256' || isset($header['crit']) || !is_string($header['kid'] ?? null)) {
        throw new UnexpectedValueException('not a header of the gateway');
    }
    $key = openssl_pkey_get_public(pem(jwk($header['kid'])));
    if (openssl_verify("$parts[0].$parts[1]", der($signature), $key, OPENSSL_ALGO_SHA256) !== 1) {
        throw new UnexpectedValueException('not signed by the gateway');
    }
    $now = time();
    foreach (['sub', 'sid', 'iat', 'nbf', 'exp'] as $name) {
        if (!isset($claims[$name])) {
            throw new UnexpectedValueException("no $name");
        }
    }
    if (($claims['iss'] ?? null) !== ISSUER || ($claims['aud'] ?? null) !== AUDIENCE
        || $claims['nbf'] > $now + LEEWAY || $claims['exp'] <= $now - LEEWAY) {
        throw new UnexpectedValueException('not for this portal, or not now');
    }
    return $claims;
}

/** Finds a key by name. The set is fetched every five minutes, and when a name is unknown. */
function jwk(string $kid): array
{
    $find = function (string $set) use ($kid): ?array {
        foreach (json_decode($set, true, 8, JSON_THROW_ON_ERROR)['keys'] as $key) {
            if ($key['kid'] === $kid && $key['kty'] === 'EC' && $key['crv'] === 'P-256') {
                return $key;
            }
        }
        return null;
    };
    $is_fresh = is_file(KEYS_FILE) && filemtime(KEYS_FILE) > time() - 300;
    $known = $is_fresh ? $find(file_get_contents(KEYS_FILE)) : null;
    if ($known === null) {
        $set = file_get_contents(KEYS_URL);
        if ($set === false) {
            throw new RuntimeException('the keys of the gateway cannot be fetched');
        }
        $known = $find($set);
        $partial = tempnam(dirname(KEYS_FILE), 'keys');
        file_put_contents($partial, $set);
        rename($partial, KEYS_FILE);
    }
    return $known ?? throw new UnexpectedValueException('an unknown key');
}

function decoded(string $part): string
{
    $bytes = preg_match('/^[A-Za-z0-9_-]*$/D', $part) ? base64_decode(strtr($part, '-_', '+/'), true) : false;
    return $bytes !== false ? $bytes : throw new UnexpectedValueException('not base64url');
}

/** A public key as OpenSSL reads it (RFC 5480). */
function pem(array $jwk): string
{
    $der = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004')
        . decoded($jwk['x']) . decoded($jwk['y']);
    return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64) . "-----END PUBLIC KEY-----\n";
}

/** A signature as OpenSSL reads it: a SEQUENCE of two INTEGERs, not 64 bytes (RFC 7518 3.4). */
function der(string $signature): string
{
    if (strlen($signature) !== 64) {
        throw new UnexpectedValueException('not a signature of ES256');
    }
    $numbers = '';
    foreach (str_split($signature, 32) as $number) {
        $number = ltrim($number, "\0");
        $number = $number === '' || ord($number[0]) > 127 ? "\0$number" : $number;
        $numbers .= "\x02" . chr(strlen($number)) . $number;
    }
    return "\x30" . chr(strlen($numbers)) . $numbers;
}

/** Whether the level of assurance is the least that is needed here. */
function is_sure_enough(array $claims): bool
{
    $levels = array_slice(LEVELS, array_search(LEAST, LEVELS, true));
    $levels = array_map(fn ($level) => "http://eidas.europa.eu/LoA/$level", $levels);
    return in_array($claims['acr'] ?? null, $levels, true);
}

/** Ends a session of your own that another login began; call it after session_start(). */
function bind(?array $claims): void
{
    $login = $claims === null ? null : [$claims['sub'], $claims['sid']];
    if (($_SESSION['login'] ?? null) !== $login) {
        session_regenerate_id(true);
        $_SESSION = ['login' => $login];
    }
}
// --- end

function answer(int $status, string $text): never
{
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    header('Cache-Control: no-store');
    echo "<!doctype html><meta charset=\"utf-8\"><title>Portal</title>$text\n";
    exit;
}

try {
    $claims = citizen(getallheaders());
} catch (UnexpectedValueException | JsonException) {
    answer(401, '<p>This is no identity for this portal.</p>');
}
if ($claims !== null && !is_sure_enough($claims)) {
    answer(403, '<p>A higher level of assurance is needed.</p>');
}
if ($claims !== null || isset($_COOKIE[session_name()])) {
    session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'use_strict_mode' => true]);
    bind($claims);
}
if ($claims === null) {
    answer(200, '<p>Nobody is signed in.</p>');
}
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$name = trim(($claims['given_name'] ?? '') . ' ' . ($claims['family_name'] ?? '')) ?: $claims['sub'];
answer(200, '<p>Signed in: <strong>' . htmlspecialchars($name) . "</strong></p><p>Visit $_SESSION[visits]</p>");
