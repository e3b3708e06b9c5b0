// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls($"http://127.0.0.1:{Gateway.Setting("PORT", "3000")}");
builder.Logging.ClearProviders();
var app = builder.Build();
var gateway = new Gateway();
var sessions = new ConcurrentDictionary<string, Session>(); // of this process only

app.MapGet("/", async (HttpContext context) =>
{
    IDictionary<string, object>? claims;
    try
    {
        claims = await gateway.Citizen(context.Request.Headers["X-Brama-Assertion"]);
    }
    catch (Exception error) when (error is SecurityTokenException or ArgumentException)
    {
        return Page(401, "<p>This is no identity for this portal.</p>");
    }
    if (claims != null && !gateway.IsSureEnough(claims))
    {
        return Page(403, "<p>A higher level of assurance is needed.</p>");
    }
    Session? known = null;
    if (context.Request.Cookies["visits"] is { } cookie)
    {
        sessions.TryRemove(cookie, out known);
    }
    var session = Gateway.Bind(known, claims);
    if (claims == null)
    {
        return Page(200, "<p>Nobody is signed in.</p>");
    }
    session.Visits++;
    sessions[session.Name] = session;
    context.Response.Cookies.Append("visits", session.Name,
        new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
    var names = new[] { "given_name", "family_name" }
        .Select(claim => claims.TryGetValue(claim, out var name) ? name as string : null)
        .Where(name => name != null);
    var person = string.Join(" ", names);
    person = WebUtility.HtmlEncode(person == "" ? (string)claims["sub"] : person);
    return Page(200, $"<p>Signed in: <strong>{person}</strong></p><p>Visit {session.Visits}</p>");
});
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening {app.Urls.First()}"));
app.Run();

static IResult Page(int status, string text) => Results.Content(
    $"<!doctype html><meta charset=\"utf-8\"><title>Portal</title>{text}\n",
    "text/html; charset=utf-8", statusCode: status);

/// <summary>A session of the portal's own. Take those of ASP.NET.</summary>
class Session(string login)
{
    public readonly string Name = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
    public readonly string Login = login;
    public int Visits;
}

class Gateway
{
    // --- who it is
    readonly string issuer = Environment.GetEnvironmentVariable("BRAMA_ISSUER")!;     // public_url of the gateway
    readonly string audience = Environment.GetEnvironmentVariable("BRAMA_AUDIENCE")!; // audience of the route
    static readonly string[] Levels = ["low", "substantial", "high"];
    readonly int least = Array.IndexOf(Levels, Setting("BRAMA_LEVEL", "substantial"));
    const int Longest = 8192;

    readonly HttpClient http = new();
    readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };
    JsonWebKeySet keys = new();
    DateTime fetched = DateTime.MinValue;

    /// <summary>Returns the claims, null when nobody is signed in, or throws.</summary>
    public async Task<IDictionary<string, object>?> Citizen(IReadOnlyList<string?> tokens)
    {
        if (tokens.Count == 0)
        {
            return null;
        }
        if (tokens.Count > 1 || tokens[0] is not { Length: > 0 and <= Longest } token)
        {
            throw new SecurityTokenMalformedException("not one token of the gateway");
        }
        var header = handler.ReadJsonWebToken(token);
        if (header.TryGetHeaderValue<object>("crit", out _))
        {
            throw new SecurityTokenException("crit is not understood");
        }
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = ["ES256"], ValidIssuer = issuer, ValidAudience = audience,
            IssuerSigningKey = await Key(header.Kid), ClockSkew = TimeSpan.FromSeconds(10),
        });
        if (!result.IsValid)
        {
            throw new SecurityTokenException("not an identity for this portal", result.Exception);
        }
        foreach (var name in new[] { "sub", "sid", "iat", "nbf", "exp" })
        {
            if (!result.Claims.ContainsKey(name))
            {
                throw new SecurityTokenException($"no {name}");
            }
        }
        return result.Claims;
    }

    /// <summary>Finds a key by name. The set is fetched every five minutes, and when a name is unknown.</summary>
    async Task<SecurityKey> Key(string id)
    {
        var key = () => keys.Keys.FirstOrDefault(key => key.Kid == id && key.Kty == "EC");
        if (fetched < DateTime.UtcNow.AddMinutes(-5) || key() == null)
        {
            keys = new JsonWebKeySet(await http.GetStringAsync(
                Setting("BRAMA_JWKS", issuer + "/.brama/jwks.json")));
            fetched = DateTime.UtcNow;
        }
        return key() ?? throw new SecurityTokenSignatureKeyNotFoundException("an unknown key");
    }

    /// <summary>Whether the level of assurance is the least that is needed here.</summary>
    public bool IsSureEnough(IDictionary<string, object> claims) =>
        claims.TryGetValue("acr", out var level)
        && Levels.Skip(least).Any(name => "http://eidas.europa.eu/LoA/" + name == level as string);

    /// <summary>Ends a session of your own that another login began; returns the one to go on with.</summary>
    public static Session Bind(Session? session, IDictionary<string, object>? claims)
    {
        var login = claims == null ? "" : $"{claims["sub"]} {claims["sid"]}";
        return session?.Login == login ? session : new Session(login);
    }
    // --- end

    public static string Setting(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) ?? otherwise;
}
