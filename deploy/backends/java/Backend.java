// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MalformedURLException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public class Backend {
    // --- who it is
    static final String ISSUER = System.getenv("BRAMA_ISSUER");     // public_url of the gateway
    static final String AUDIENCE = System.getenv("BRAMA_AUDIENCE"); // audience of the route
    static final String KEYS = setting("BRAMA_JWKS", ISSUER + "/.brama/jwks.json");
    static final List<String> LEVELS = List.of("low", "substantial", "high");
    static final int LEAST = LEVELS.indexOf(setting("BRAMA_LEVEL", "substantial"));
    static final int LONGEST = 8192;

    /** Made once. The keys are cached for five minutes, and fetched again when a kid is unknown. */
    static DefaultJWTProcessor<SecurityContext> processor() throws MalformedURLException {
        JWKSource<SecurityContext> keys =
            JWKSourceBuilder.create(URI.create(KEYS).toURL()).build();
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, keys));
        var verifier = new DefaultJWTClaimsVerifier<SecurityContext>(
            AUDIENCE,
            new JWTClaimsSet.Builder().issuer(ISSUER).build(),
            Set.of("sub", "sid", "iat", "nbf", "exp"));
        verifier.setMaxClockSkew(10);
        processor.setJWTClaimsSetVerifier(verifier);
        return processor;
    }

    /** Returns the claims, null when nobody is signed in, or throws. */
    static JWTClaimsSet citizen(DefaultJWTProcessor<SecurityContext> processor, List<String> tokens)
            throws ParseException, JOSEException, BadJOSEException {
        if (tokens == null) {
            return null;
        }
        if (tokens.size() > 1 || tokens.get(0).length() > LONGEST) {
            throw new BadJOSEException("not one token of the gateway");
        }
        return processor.process(tokens.get(0), null);
    }

    /** Whether the level of assurance is the least that is needed here. */
    static boolean isSureEnough(JWTClaimsSet claims) {
        return LEVELS.stream().skip(LEAST)
            .anyMatch(level -> ("http://eidas.europa.eu/LoA/" + level).equals(claims.getClaim("acr")));
    }

    /** Ends a session of your own that another login began; claims are null without the header. */
    static Session bind(Session session, JWTClaimsSet claims) {
        String login = claims == null ? "" : claims.getSubject() + " " + claims.getClaim("sid");
        return session != null && session.login.equals(login) ? session : new Session(login);
    }
    // --- end

    /** A session of the portal's own. Take HttpSession: invalidate it where this makes a new one. */
    static class Session {
        final String name = UUID.randomUUID().toString();
        final String login;
        int visits;

        Session(String login) {
            this.login = login;
        }
    }

    static final Map<String, Session> SESSIONS = new ConcurrentHashMap<>();

    static String setting(String name, String otherwise) {
        return Objects.requireNonNullElse(System.getenv(name), otherwise);
    }

    public static void main(String[] arguments) throws IOException {
        var processor = processor();
        int port = Integer.parseInt(setting("PORT", "3000"));
        var server = HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(processor, exchange);
            }
        });
        server.start();
        System.out.println("listening http://127.0.0.1:" + server.getAddress().getPort());
    }

    static void answer(DefaultJWTProcessor<SecurityContext> processor, HttpExchange exchange)
            throws IOException {
        JWTClaimsSet claims;
        try {
            claims = citizen(processor, exchange.getRequestHeaders().get("X-Brama-Assertion"));
        } catch (ParseException | JOSEException | BadJOSEException error) {
            page(exchange, 401, "<p>This is no identity for this portal.</p>");
            return;
        }
        if (claims != null && !isSureEnough(claims)) {
            page(exchange, 403, "<p>A higher level of assurance is needed.</p>");
            return;
        }
        String name = cookie(exchange);
        Session session = bind(name == null ? null : SESSIONS.remove(name), claims);
        if (claims == null) {
            page(exchange, 200, "<p>Nobody is signed in.</p>");
            return;
        }
        session.visits++;
        SESSIONS.put(session.name, session);
        exchange.getResponseHeaders().add(
            "Set-Cookie", "visits=" + session.name + "; HttpOnly; SameSite=Lax; Path=/");
        String person = Stream.of("given_name", "family_name").map(claims::getClaim)
            .filter(Objects::nonNull).map(Object::toString).collect(Collectors.joining(" "));
        page(exchange, 200, "<p>Signed in: <strong>"
            + escaped(person.isEmpty() ? claims.getSubject() : person)
            + "</strong></p><p>Visit " + session.visits + "</p>");
    }

    static String cookie(HttpExchange exchange) {
        return exchange.getRequestHeaders().getOrDefault("Cookie", List.of()).stream()
            .flatMap(line -> Stream.of(line.split("; ")))
            .filter(cookie -> cookie.startsWith("visits="))
            .map(cookie -> cookie.substring("visits=".length())).findFirst().orElse(null);
    }

    static void page(HttpExchange exchange, int status, String text) throws IOException {
        byte[] page = ("<!doctype html><meta charset=\"utf-8\"><title>Portal</title>" + text + "\n")
            .getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, page.length);
        exchange.getResponseBody().write(page);
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            .replace("\"", "&quot;");
    }
}
