// Users of Tomcat that the gateway tells in plain headers (docs/portals.md).

package portal;

// --- who it is
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.util.List;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.realm.GenericPrincipal;
import org.apache.catalina.valves.ValveBase;

/** Before any application: getRemoteUser(), getUserPrincipal() and constraints of web.xml. */
public class GatewayValve extends ValveBase {
    private static final String LOGIN = "brama.login";

    public GatewayValve() {
        super(true);
    }

    @Override
    public void invoke(Request request, Response response) throws IOException, ServletException {
        // Absent and empty when nobody is signed in.
        String subject = header(request, "X-Citizen");
        String login = subject == null ? null : subject + " " + header(request, "X-Citizen-Session");
        // A session that another login began ends here.
        HttpSession session = request.getSession(false);
        if (session != null && (login == null || !login.equals(session.getAttribute(LOGIN)))) {
            session.invalidate();
        }
        if (subject != null) {
            request.setUserPrincipal(new GenericPrincipal(subject, List.of("citizen")));
            request.setAuthType("BRAMA");
            request.getSession().setAttribute(LOGIN, login);
        }
        getNext().invoke(request, response);
    }

    private static String header(Request request, String name) {
        String value = request.getHeader(name);
        return value == null || value.isEmpty() ? null : value;
    }
}
// --- end
