<?php
// Users of DokuWiki that the gateway tells in plain headers (docs/portals.md).
// Goes to lib/plugins/authbrama.

// --- who it is
class auth_plugin_authbrama extends DokuWiki_Auth_Plugin
{
    public function __construct()
    {
        parent::__construct();
        $this->cando['external'] = true; // trustExternal is asked at each request
        $this->cando['logout'] = false;  // a citizen signs out at /.brama/logout
        $this->success = true;
    }

    /** Sets who is there. The user name and the password of a form or of HTTP are not looked at. */
    public function trustExternal($user, $pass, $sticky = false)
    {
        global $USERINFO;
        $told = fn ($name) => $_SERVER["HTTP_X_BRAMA_$name"] ?? '';
        $subject = $told('SUBJECT');
        $login = $subject === '' ? null : [$subject, $told('SESSION')];
        // The session of DokuWiki (what was read, drafts) ends with the login that it was begun in.
        if (($_SESSION['login'] ?? null) !== $login) {
            session_regenerate_id(true);
            $_SESSION = ['login' => $login];
        }
        if ($login === null) {
            unset($_SERVER['REMOTE_USER']);
            $USERINFO = null;
            return false; // not null, which would have it ask for its own cookie
        }
        // Values are percent-encoded UTF-8.
        $name = trim(rawurldecode($told('GIVEN_NAME')) . ' ' . rawurldecode($told('FAMILY_NAME')));
        $USERINFO = ['name' => $name ?: $subject, 'mail' => '', 'grps' => ['citizen']];
        $_SERVER['REMOTE_USER'] = $subject;
        $_SESSION[DOKU_COOKIE]['auth']['user'] = $subject;
        $_SESSION[DOKU_COOKIE]['auth']['info'] = $USERINFO;
        return true;
    }
}
// --- end
