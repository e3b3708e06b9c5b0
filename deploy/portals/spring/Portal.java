// A portal of Spring Boot, with a session of its own, whose user comes from the gateway
// (docs/portals.md).

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.UserDetailsServiceAutoConfiguration;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.authentication.ProviderManager;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.preauth.AbstractPreAuthenticatedProcessingFilter;
import org.springframework.security.web.authentication.preauth.PreAuthenticatedAuthenticationProvider;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@EnableAutoConfiguration(exclude = UserDetailsServiceAutoConfiguration.class) // no passwords here
@RestController
public class Portal {
    // --- who it is
    static final String ISSUER = System.getenv("BRAMA_ISSUER");     // public_url of the gateway
    static final String AUDIENCE = System.getenv("BRAMA_AUDIENCE"); // audience of the route
    static final String KEYS =
        System.getenv().getOrDefault("BRAMA_JWKS", ISSUER + "/.brama/jwks.json");
    static final List<String> LEVELS =
        List.of("http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high");

    @Bean
    SecurityFilterChain security(HttpSecurity http, JwtDecoder decoder) throws Exception {
        var users = new PreAuthenticatedAuthenticationProvider();
        users.setPreAuthenticatedUserDetailsService(token -> new User(
            token.getName(), "", AuthorityUtils.createAuthorityList("ROLE_CITIZEN")));
        return http
            .addFilter(new GatewayFilter(decoder, new ProviderManager(users)))
            .authorizeHttpRequests(requests -> requests
                .requestMatchers("/whoami").permitAll()
                .anyRequest().hasRole("CITIZEN"))
            .build();
    }

    /** The citizen of the token is the user; the session of Spring is bound to their login. */
    static class GatewayFilter extends AbstractPreAuthenticatedProcessingFilter {
        private final JwtDecoder decoder;

        GatewayFilter(JwtDecoder decoder, ProviderManager manager) {
            this.decoder = decoder;
            setAuthenticationManager(manager);
            // Another login, or none any more, ends the session.
            setCheckForPrincipalChanges(true);
            setInvalidateSessionOnPrincipalChange(true);
        }

        @Override
        public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
                throws IOException, ServletException {
            try {
                request.setAttribute("brama.claims", citizen((HttpServletRequest) request));
            } catch (JwtException refused) {
                ((HttpServletResponse) response).setStatus(401);
                response.getWriter().print("This is no identity for this portal.");
                return;
            }
            super.doFilter(request, response, chain);
        }

        /** Returns the claims, null when nobody is signed in, or throws. */
        private Jwt citizen(HttpServletRequest request) {
            var tokens = Collections.list(request.getHeaders("X-Brama-Assertion"));
            if (tokens.isEmpty()) {
                return null;
            }
            if (tokens.size() > 1 || tokens.get(0).length() > 8192) {
                throw new JwtException("not one token of the gateway");
            }
            return decoder.decode(tokens.get(0));
        }

        @Override
        protected Object getPreAuthenticatedPrincipal(HttpServletRequest request) {
            var claims = (Jwt) request.getAttribute("brama.claims");
            return claims == null ? null : claims.getSubject();
        }

        @Override
        protected Object getPreAuthenticatedCredentials(HttpServletRequest request) {
            return request.getAttribute("brama.claims");
        }

        /** By the login too: a citizen who signs in again begins anew. */
        @Override
        protected boolean principalChanged(HttpServletRequest request, Authentication current) {
            var claims = (Jwt) request.getAttribute("brama.claims");
            return claims == null || !(current.getCredentials() instanceof Jwt known)
                || !claims.getSubject().equals(known.getSubject())
                || !claims.getClaimAsString("sid").equals(known.getClaimAsString("sid"));
        }
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
            new JwtClaimValidator<>("aud", List.of(AUDIENCE)::equals),
            new JwtClaimValidator<Object>("acr", LEVELS::contains))).toList()));
        return decoder;
    }
    // --- end

    @GetMapping("/whoami")
    ResponseEntity<Map<String, Object>> whoami(Authentication user, HttpServletRequest request) {
        var seen = new HashMap<String, Object>();
        seen.put("user", null);
        var answer = ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON); // for browsers, too
        if (user == null) {
            return answer.body(seen);
        }
        var claims = (Jwt) user.getCredentials();
        HttpSession session = request.getSession();
        int visits = session.getAttribute("visits") instanceof Integer before ? before + 1 : 1;
        session.setAttribute("visits", visits);
        seen.put("user", request.getRemoteUser());
        seen.put("name", claims.getClaimAsString("given_name") + " " + claims.getClaimAsString("family_name"));
        seen.put("visits", visits);
        return answer.body(seen);
    }

    public static void main(String[] arguments) {
        var portal = new SpringApplication(Portal.class);
        portal.setDefaultProperties(Map.of(
            "server.address", "127.0.0.1",
            "server.port", System.getenv().getOrDefault("PORT", "8080"),
            "server.forward-headers-strategy", "native",
            "server.servlet.session.cookie.same-site", "lax",
            "spring.main.banner-mode", "off"));
        portal.addListeners((ApplicationListener<ApplicationReadyEvent>) event -> System.out.println(
            "listening http://127.0.0.1:"
                + event.getApplicationContext().getEnvironment().getProperty("local.server.port")));
        portal.run(arguments);
    }
}
