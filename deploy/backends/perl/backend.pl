# A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

use strict;
use warnings;
use utf8;
use Encode qw(encode);
use HTTP::Daemon;
use HTTP::Response;

# --- who it is
use Crypt::JWT qw(decode_jwt);
use HTTP::Tiny;
use JSON::PP qw(decode_json);

my $issuer   = $ENV{BRAMA_ISSUER};      # public_url of the gateway
my $audience = $ENV{BRAMA_AUDIENCE};    # audience of the route
my $keys_url = $ENV{BRAMA_JWKS} // "$issuer/.brama/jwks.json";
my @levels   = qw(low substantial high);
my $least    = $ENV{BRAMA_LEVEL} // 'substantial';
my $longest  = 8192;

# Otherwise X_Brama_Assertion is the same name to this library.
$HTTP::Headers::TRANSLATE_UNDERSCORE = 0;

# Returns the claims, undef when nobody is signed in, or dies.
sub citizen {
    my @tokens = @_;
    return undef unless @tokens;
    die "not one token of the gateway\n" if @tokens > 1 || length $tokens[0] > $longest;
    my ($header) = decode_jwt(token => $tokens[0], ignore_signature => 1, decode_header => 1);
    die "not a header of the gateway\n" if exists $header->{crit} || !defined $header->{kid};
    my $claims = decode_jwt(
        token => $tokens[0], key => key($header->{kid}), accepted_alg => 'ES256',
        verify_iss => sub { $_[0] eq $issuer }, verify_aud => sub { !ref $_[0] && $_[0] eq $audience },
        verify_sub => sub { 1 }, verify_exp => 1, verify_nbf => 1, verify_iat => 1, leeway => 10,
    );
    die "no sid\n" unless defined $claims->{sid};
    return $claims;
}

# Finds a key by name. The set is fetched every five minutes, and when a name is unknown.
my ($keys, $fetched) = ([], 0);
sub key {
    my ($id) = @_;
    my $find = sub { (grep { $_->{kid} eq $id } @$keys)[0] };
    if (time - $fetched > 300 || !$find->()) {
        my $answer = HTTP::Tiny->new(verify_SSL => 1)->get($keys_url);
        die "the keys of the gateway cannot be fetched\n" unless $answer->{success};
        ($keys, $fetched) = (decode_json($answer->{content})->{keys}, time);
    }
    return $find->() // die "an unknown key\n";
}

# Whether the level of assurance is the least that is needed here.
sub is_sure_enough {
    my ($claims) = @_;
    my ($from) = grep { $levels[$_] eq $least } 0 .. $#levels;
    return grep { ($claims->{acr} // '') eq "http://eidas.europa.eu/LoA/$_" } @levels[$from .. $#levels];
}

# Ends a session of your own that another login began.
sub bind_session {
    my ($session, $claims) = @_;
    my $login = $claims ? "$claims->{sub} $claims->{sid}" : '';
    %$session = (login => $login) if ($session->{login} // '') ne $login;
}
# --- end

my %sessions;    # of this process only; take those of your framework

sub page {
    my ($status, $text, $cookie) = @_;
    my $page = encode('UTF-8', qq(<!doctype html><meta charset="utf-8"><title>Portal</title>$text\n));
    my $response = HTTP::Response->new($status, undef, [
        'Content-Type' => 'text/html; charset=utf-8', 'Content-Length' => length $page,
        'Cache-Control' => 'no-store',
    ], $page);
    $response->header('Set-Cookie' => $cookie) if $cookie;
    return $response;
}

sub escaped {
    my ($text) = @_;
    my %signs = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
    return $text =~ s/([&<>"])/$signs{$1}/gr;
}

# A name for a session that nobody guesses.
sub unguessable {
    open my $random, '<:raw', '/dev/urandom' or die "no randomness: $!";
    read $random, my $bytes, 32;
    return unpack 'H*', $bytes;
}

sub answer {
    my ($request) = @_;
    my $claims = eval { citizen($request->header('X-Brama-Assertion')) };
    return page(401, '<p>This is no identity for this portal.</p>') if $@;
    return page(403, '<p>A higher level of assurance is needed.</p>')
        if $claims && !is_sure_enough($claims);
    my ($old) = ($request->header('Cookie') // '') =~ /(?:^|; )visits=([0-9a-f]+)/;
    my $session = defined $old ? delete $sessions{$old} // {} : {};
    bind_session($session, $claims);
    return page(200, '<p>Nobody is signed in.</p>') unless $claims;
    # One who begins a session gets another name for it than anybody knew before.
    my $new = ++$session->{visits} > 1 ? $old : unguessable();
    $sessions{$new} = $session;
    my $name = join ' ', grep { defined } @$claims{qw(given_name family_name)};
    $name = $claims->{sub} if $name eq '';
    return page(
        200, '<p>Signed in: <strong>' . escaped($name) . "</strong></p><p>Visit $session->{visits}</p>",
        "visits=$new; HttpOnly; SameSite=Lax; Path=/",
    );
}

my $server = HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT} // 3000) or die "$@";
$| = 1;
print 'listening http://127.0.0.1:', $server->sockport, "\n";
while (my $connection = $server->accept) {
    if (my $request = $connection->get_request) {
        # One client after another: this server is for trying.
        $connection->force_last_request;
        $connection->send_response(answer($request));
    }
    $connection->close;
}
