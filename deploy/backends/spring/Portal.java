// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.context.WebServerInitializedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.BearerTokenErrors;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@RestController
public class Portal {
    // --- who it is
    static final String ISSUER = System.getenv("BRAMA_ISSUER");     // public_url of the gateway
    static final String AUDIENCE = System.getenv("BRAMA_AUDIENCE"); // audience of the route
    static final String KEYS = setting("BRAMA_JWKS", ISSUER + "/.brama/jwks.json");
    static final List<String> LEVELS = List.of("low", "substantial", "high");
    static final int LEAST = LEVELS.indexOf(setting("BRAMA_LEVEL", "substantial"));
    static final int LONGEST = 8192;

    @Bean
    SecurityFilterChain security(HttpSecurity http, JwtDecoder decoder) throws Exception {
        return http
            .authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
            .oauth2ResourceServer(server ->
                server.bearerTokenResolver(Portal::token).jwt(jwt -> jwt.decoder(decoder)))
            .build();
    }

    /** The keys are cached for five minutes, and fetched again when a kid is unknown. */
    @Bean
    JwtDecoder decoder() {
        var decoder =
            NimbusJwtDecoder.withJwkSetUri(KEYS).jwsAlgorithm(SignatureAlgorithm.ES256).build();
        var present = Stream.of("sub", "sid", "iat", "nbf", "exp")
            .map(name -> new JwtClaimValidator<>(name, Objects::nonNull));
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(Stream.concat(present, Stream.of(
            new JwtTimestampValidator(Duration.ofSeconds(10)),
            new JwtIssuerValidator(ISSUER),
            new JwtClaimValidator<>("aud", List.of(AUDIENCE)::equals))).toList()));
        return decoder;
    }

    /** The one token of a request; null when nobody is signed in. */
    static String token(HttpServletRequest request) {
        var tokens = Collections.list(request.getHeaders("X-Brama-Assertion"));
        if (tokens.isEmpty()) {
            return null;
        }
        if (tokens.size() > 1 || tokens.get(0).isEmpty() || tokens.get(0).length() > LONGEST) {
            throw new OAuth2AuthenticationException(
                BearerTokenErrors.invalidToken("not one token of the gateway"));
        }
        return tokens.get(0);
    }

    /** Whether the level of assurance is the least that is needed here. */
    static boolean isSureEnough(Jwt claims) {
        return LEVELS.stream().skip(LEAST).anyMatch(level ->
            ("http://eidas.europa.eu/LoA/" + level).equals(claims.getClaimAsString("acr")));
    }

    /** Ends a session of your own that another login began; claims are null without the header. */
    static HttpSession bind(HttpServletRequest request, Jwt claims) {
        Object login = claims == null ? "" : claims.getSubject() + " " + claims.getClaim("sid");
        HttpSession session = request.getSession();
        Object known = session.getAttribute("login");
        if (login.equals(known == null ? "" : known)) {
            return session;
        }
        session.invalidate();
        session = request.getSession(true);
        session.setAttribute("login", login);
        return session;
    }
    // --- end

    @GetMapping("/")
    ResponseEntity<String> page(HttpServletRequest request, @AuthenticationPrincipal Jwt claims) {
        if (claims != null && !isSureEnough(claims)) {
            return page(403, "<p>A higher level of assurance is needed.</p>");
        }
        if (claims == null && request.getSession(false) == null) {
            return page(200, "<p>Nobody is signed in.</p>");
        }
        HttpSession session = bind(request, claims);
        if (claims == null) {
            return page(200, "<p>Nobody is signed in.</p>");
        }
        Object before = session.getAttribute("visits");
        int visits = before == null ? 1 : (int) before + 1;
        session.setAttribute("visits", visits);
        String person = Stream.of("given_name", "family_name").map(claims::getClaimAsString)
            .filter(Objects::nonNull).collect(Collectors.joining(" "));
        person = HtmlUtils.htmlEscape(person.isEmpty() ? claims.getSubject() : person, "UTF-8");
        return page(
            200, "<p>Signed in: <strong>" + person + "</strong></p><p>Visit " + visits + "</p>");
    }

    static ResponseEntity<String> page(int status, String text) {
        return ResponseEntity.status(status)
            .contentType(MediaType.parseMediaType("text/html; charset=utf-8"))
            .body("<!doctype html><meta charset=\"utf-8\"><title>Portal</title>" + text + "\n");
    }

    static String setting(String name, String otherwise) {
        return Objects.requireNonNullElse(System.getenv(name), otherwise);
    }

    @Bean
    ApplicationListener<WebServerInitializedEvent> introduction() {
        return event -> System.out.println(
            "listening http://127.0.0.1:" + event.getWebServer().getPort());
    }

    public static void main(String[] arguments) {
        var application = new SpringApplication(Portal.class);
        application.setDefaultProperties(Map.of(
            "server.port", setting("PORT", "3000"), "server.address", "127.0.0.1",
            "logging.level.root", "warn", "spring.main.banner-mode", "off"));
        application.run(arguments);
    }
}
