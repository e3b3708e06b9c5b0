// A portal of ASP.NET Core whose user comes from the gateway (docs/portals.md).

using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.HttpOverrides;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "5000"}");

// --- who it is
var issuer = Environment.GetEnvironmentVariable("BRAMA_ISSUER")!;     // public_url of the gateway
var audience = Environment.GetEnvironmentVariable("BRAMA_AUDIENCE")!; // audience of the route
string[] levels = ["http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"];

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    options.Authority = issuer; // the gateway has identity.well_known = true
    options.RequireHttpsMetadata = issuer.StartsWith("https:");
    options.AutomaticRefreshInterval = TimeSpan.FromMinutes(5);
    options.MapInboundClaims = false;
    options.TokenValidationParameters = new()
    {
        ValidIssuer = issuer, ValidAudience = audience, ValidAlgorithms = ["ES256"],
        ClockSkew = TimeSpan.FromSeconds(10), NameClaimType = "sub",
    };
    options.Events = new()
    {
        OnMessageReceived = context =>
        {
            var tokens = context.Request.Headers["X-Brama-Assertion"];
            if (tokens.Count == 0)
            {
                context.NoResult();
            }
            else if (tokens.Count > 1 || tokens[0]!.Length > 8192)
            {
                context.Fail("not one token of the gateway");
            }
            else
            {
                context.Token = tokens[0];
            }
            return Task.CompletedTask;
        },
        OnTokenValidated = context =>
        {
            var user = context.Principal!;
            if (user.FindFirstValue("sid") == null || !levels.Contains(user.FindFirstValue("acr")))
            {
                context.Fail("not a login that is enough here");
            }
            return Task.CompletedTask;
        },
    };
});
builder.Services.AddAuthorization();
builder.Services.AddDistributedMemoryCache();
builder.Services.AddSession();

var app = builder.Build();
app.UseForwardedHeaders(new() { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto });
app.UseSession();
app.UseAuthentication();
app.Use(async (context, next) =>
{
    // A token that does not verify is an error; without this it would be a guest on open pages.
    if ((await context.AuthenticateAsync()).Failure != null)
    {
        context.Response.StatusCode = 401;
        return;
    }
    // The session of ASP.NET ends with the login that it was begun in.
    var login = context.User.Identity?.Name is { } name ? $"{name} {context.User.FindFirstValue("sid")}" : null;
    if (context.Session.GetString("login") != login)
    {
        context.Session.Clear();
        if (login != null) context.Session.SetString("login", login);
    }
    await next();
});
app.UseAuthorization();
// --- end

app.MapGet("/whoami", (HttpContext context) =>
{
    if (context.User.Identity?.Name is not { } user)
    {
        return Results.Json(new { user = (string?)null });
    }
    var visits = (context.Session.GetInt32("visits") ?? 0) + 1;
    context.Session.SetInt32("visits", visits);
    var name = $"{context.User.FindFirstValue("given_name")} {context.User.FindFirstValue("family_name")}";
    return Results.Json(new { user, name, visits });
});
app.MapGet("/inner", () => "for citizens").RequireAuthorization();
app.Run();
