<?php
// The part of DokuWiki's conf/local.php.

// --- who it is
$conf['useacl'] = 1;
$conf['authtype'] = 'authbrama';
// Nobody signs in here, or makes an account.
$conf['disableactions'] = 'login,logout,register,resendpwd,profile,profile_delete';
// --- end
