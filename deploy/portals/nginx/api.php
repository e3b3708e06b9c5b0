<?php
// An API of PHP behind nginx, which tells it who is there in variables that no header becomes.

declare(strict_types=1);

// --- who it is
$user = $_SERVER['REMOTE_USER'] ?? '';
$login = $user === '' ? null : [$user, $_SERVER['CITIZEN_SESSION']];
session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'use_strict_mode' => true]);
// The session of PHP ends with the login that it was begun in.
if (($_SESSION['login'] ?? null) !== $login) {
    session_regenerate_id(true);
    $_SESSION = ['login' => $login];
}
// --- end

header('Content-Type: application/json');
header('Cache-Control: no-store');
if ($login === null) {
    exit(json_encode(['user' => null]));
}
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo json_encode([
    'user' => $user,
    'name' => rawurldecode($_SERVER['CITIZEN_NAME']),
    'visits' => $_SESSION['visits'],
]);
