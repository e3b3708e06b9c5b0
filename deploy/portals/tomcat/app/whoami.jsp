<%@ page contentType="application/json; charset=UTF-8" import="java.net.URLDecoder" session="false" %><%
if (request.getRemoteUser() == null) {
    out.print("{\"user\": null}");
    return;
}
HttpSession session = request.getSession();
Integer before = (Integer) session.getAttribute("visits");
int visits = before == null ? 1 : before + 1;
session.setAttribute("visits", visits);
String name = request.getHeader("X-Citizen-Name").replace("+", "%2B");
name = URLDecoder.decode(name, "UTF-8").replace("\\", "\\\\").replace("\"", "\\\"");
out.print("{\"user\": \"" + request.getUserPrincipal().getName() + "\", \"name\": \"" + name
    + "\", \"citizen\": " + request.isUserInRole("citizen") + ", \"visits\": " + visits + "}");
%>
