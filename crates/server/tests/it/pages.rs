//! The login pages: every screen in a real browser, languages, the operator's look and words, mails.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, Redirect, Response};
use axum::routing::{get, post};
use domain::Json;
use serde_json::{Value, json};
use server::state::AppState;
use server::universal_login::page::{Page, Problem, Reader, Screen, render};
use server::universal_login::render::{render_form_post, render_web_message};

use crate::app::App;

const SCREENS: &[(&str, Screen)] = &[
    ("login", Screen::Login),
    ("login-failed", Screen::Login),
    ("login-id", Screen::LoginId),
    ("login-password", Screen::LoginPassword),
    ("signup", Screen::Signup),
    ("reset-request", Screen::ResetPasswordRequest),
    ("reset-email", Screen::ResetPasswordEmail),
    ("reset", Screen::ResetPassword),
    ("reset-success", Screen::ResetPasswordSuccess),
    ("reset-error", Screen::ResetPasswordError),
    ("verification", Screen::EmailVerificationResult),
    ("otp", Screen::MfaOtpChallenge),
    ("email-code", Screen::MfaEmailChallenge),
    ("recovery", Screen::MfaRecoveryCodeChallenge),
    ("webauthn", Screen::MfaWebAuthnChallenge),
    ("webauthn-enrollment", Screen::MfaWebAuthnEnrollment),
    ("options", Screen::MfaOptions),
    ("otp-enrollment", Screen::MfaOtpEnrollment),
    ("recovery-enrollment", Screen::MfaRecoveryCodeEnrollment),
    ("passkey-enrollment", Screen::PasskeyEnrollment),
    ("consent", Screen::Consent),
    ("device", Screen::DeviceActivation),
    ("device-confirmation", Screen::DeviceConfirmation),
    ("device-allowed", Screen::DeviceAllowed),
    ("device-denied", Screen::DeviceDenied),
    ("logout", Screen::Logout),
    ("logout-complete", Screen::LogoutComplete),
    ("logout-aborted", Screen::LogoutAborted),
    ("blocked", Screen::AccountBlocked),
    ("unblocked", Screen::AccountUnblocked),
    ("error", Screen::Error),
    ("unblock", Screen::AccountUnblock),
    ("link-account", Screen::LinkAccount),
];

fn state(app: &App) -> AppState {
    AppState {
        engine: Arc::clone(&app.engine),
        draining: tokio_util::sync::CancellationToken::new(),
        trusts_proxy: false,
        serves_metrics: false,
        isolation: None,
    }
}

/// A page as a handler would make it, with everything that its screen can show.
fn page(name: &str) -> Page {
    let (_, screen) = SCREENS.iter().find(|(known, _)| *known == name).unwrap();
    let mut page = Page::new(*screen);
    page.hidden.push(("state", "s".to_owned()));
    let qr = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 2\"><path d=\"M0 0h1v1H0z\"/></svg>";
    let shown = json!({
        "signup_url": "/signup", "login_url": "/login", "reset_url": "/reset", "edit_url": "/edit",
        "back_url": "/back", "options_url": "/options", "min_length": 8, "passkey": true,
        "identifier": if name == "login" { "" } else { "ann@example.com" }, "email": "ann@example.com",
        "connections": [{"name": "corp", "label": "Continue with Corporate Account", "url": "/corp"}],
        "factors": [{"name": "otp", "url": "/otp"}, {"name": "email", "url": "/email"}, {"name": "recovery-code", "url": "/code"}], "remember": true,
        "qr": qr, "secret": "JBSW Y3DP EHPK 3PXP", "codes": ["K7QX 93ND WP4T 2MHB C6VR 8JZL"],
        "scopes": ["openid", {"name": "read:boats", "description": "Read your boats"}, "offline_access"],
        "account": "ann@example.com", "user_code": "WDJB-MJHT", "continue_url": "/on",
        "tracking": "8c1f0a", "providerName": "Corporate Account", "retry_url": "/again",
    });
    page.shown.clone_from(shown.as_object().unwrap());
    if name == "login-failed" {
        page.problem = Some(Problem::new("wrong-credentials", Some("password")));
        page.status = StatusCode::BAD_REQUEST;
    }
    if name == "reset-error" {
        page.problem = Some(Problem::new("link-expired", None));
    }
    page
}

fn reader(language: Option<&str>) -> Reader {
    Reader {
        ui_locales: language.map(str::to_owned).into_iter().collect(),
        accept_language: None,
        client: Some(("Harbour".to_owned(), None)),
    }
}

async fn text_of(response: Response) -> (HeaderMap, String) {
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (head.headers, String::from_utf8(bytes.into()).unwrap())
}

async fn html(app: &App, name: &str, language: &str) -> String {
    let response = render(&state(app), &reader(Some(language)), page(name)).await;
    text_of(response).await.1
}

/// The test's own server: screens by name, and an application on another origin.
#[derive(Clone)]
struct Rig {
    state: AppState,
    other: String,
}

async fn screen(
    State(rig): State<Rig>,
    Path(name): Path<String>,
    Query(query): Query<Json>,
) -> Response {
    let reader = reader(query.get("lang").and_then(Value::as_str));
    match name.as_str() {
        "form-post" => {
            let fields = [("code", "c<".to_owned()), ("state", "s".to_owned())];
            let target = format!("{}/post", rig.other);
            render_form_post(&rig.state, &reader, &fields, &target).await
        }
        "web-message" => {
            let message = json!({"type": "authorization_response", "response": {"code": "<c>"}});
            render_web_message(&rig.state, message.as_object().unwrap(), &rig.other).await
        }
        name => render(&rig.state, &reader, page(name)).await,
    }
}

/// Sends the browser on to the application, with what was typed and how long the password is.
async fn sent(State(rig): State<Rig>, body: String) -> Redirect {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&body).unwrap();
    let of = |name: &str| pairs.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let (username, password) = (of("username"), of("password").len());
    let (action, state) = (of("action"), of("state"));
    Redirect::to(&format!(
        "{}/callback?username={username}&password={password}&action={action}&state={state}",
        rig.other
    ))
}

async fn asset(State(rig): State<Rig>, path: Path<String>) -> Response {
    server::assets::get(State(rig.state), path).await
}

async fn application(body: String) -> Redirect {
    Redirect::to(&format!("/callback?{body}"))
}

async fn called() -> Html<&'static str> {
    Html("<link rel=icon href='data:,'><title>Application</title>")
}

async fn framed(Query(query): Query<Json>) -> Html<String> {
    Html(format!(
        "<link rel=icon href='data:,'>\
         <script>addEventListener('message', e => document.title = JSON.stringify(e.data))</script>\
         <iframe src=\"{}\"></iframe>",
        query["of"].as_str().unwrap()
    ))
}

async fn serve(app: &App) -> (String, String) {
    let own = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_url = format!("http://{}", own.local_addr().unwrap());
    let other_url = format!("http://{}", other.local_addr().unwrap());
    let rig = Rig {
        state: state(app),
        other: other_url.clone(),
    };
    let pages = Router::new()
        .route("/screens/{name}", get(screen).post(sent))
        .route("/assets/{name}", get(asset))
        .with_state(rig);
    let applications = Router::new()
        .route("/callback", get(called))
        .route("/post", post(application))
        .route("/frame", get(framed));
    tokio::spawn(axum::serve(own, pages).into_future());
    tokio::spawn(axum::serve(other, applications).into_future());
    (own_url, other_url)
}

#[tokio::test]
async fn every_screen_is_accessible_in_a_browser() {
    let app = App::on_sqlite().await;
    let (base, _) = serve(&app).await;
    let names: Vec<_> = SCREENS.iter().map(|(name, _)| *name).collect();
    let pictures = testkit::pictures_folder().map(|folder| {
        json!({
            "folder": folder, "login": ["light", "phone", "rtl", "rtl-phone"],
            "login-failed": ["light"], "consent": ["light"],
        })
    });
    let told = json!({"base": base, "screens": names, "pictures": pictures});
    testkit::run_in_browser("screens.mjs", &told).await.unwrap();
}

#[tokio::test]
async fn forms_work_with_scripts_and_without() {
    let app = App::on_sqlite().await;
    let (base, other) = serve(&app).await;
    let told = json!({"base": base, "other": other});
    testkit::run_in_browser("forms.mjs", &told).await.unwrap();
}

#[tokio::test]
async fn a_page_escapes_speaks_and_is_guarded() {
    let app = App::on_sqlite().await;
    let mut evil = page("login-failed");
    evil.shown
        .insert("identifier".into(), "\"><script>1</script>".into());
    evil.problem = Some(Problem {
        sentence: Some("<b>no</b>".to_owned()),
        ..Problem::new("x", None)
    });
    let response = render(&state(&app), &reader(Some("fr-CA")), evil).await;
    assert_eq!(response.status(), 400);
    let (headers, text) = text_of(response).await;
    assert!(text.contains("<html lang=\"fr\" dir=\"ltr\">"), "{text}");
    assert!(
        text.contains("value=\"&quot;&gt;&lt;script&gt;1&lt;/script&gt;\""),
        "{text}"
    );
    assert!(
        text.contains("&lt;b&gt;no&lt;/b&gt;") && text.contains("Connectez-vous"),
        "{text}"
    );
    assert!(
        text.contains("<title>Erreur : Connexion | Harbour</title>"),
        "{text}"
    );
    insta::assert_snapshot!(headers["content-security-policy"].to_str().unwrap(), @"default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'; style-src 'self'; font-src 'self'");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(headers[name], value);
    }
    for (name, _) in SCREENS {
        for language in ["en", "ja", "ar-XB"] {
            let text = html(&app, name, language).await;
            assert!(
                text.contains("<h1>") && text.contains("</html>"),
                "{name}: {text}"
            );
            assert!(
                !text.contains("${") && !text.contains(" style="),
                "{name}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn an_operator_gives_pages_a_look_and_words() {
    let app = App::on_sqlite().await;
    let put = async |method: &str, path: &str, body: Value| {
        app.quietly(method, &format!("/api/v2{path}"), body).await
    };
    let colors =
        json!({"colors": {"primary": "#ffe600"}, "logo_url": "https://cdn.example/logo.svg"});
    assert_eq!(put("PATCH", "/branding", colors.clone()).await.body, colors);
    let bad = json!({"colors": {"primary": "red"}});
    assert_eq!(put("PATCH", "/branding", bad).await.status, 400);
    let texts = json!({"login": {"title": "Ahoy, ${clientName}", "wrong-credentials": "Nope"}});
    let path = "/prompts/login/custom-text/en";
    assert_eq!(put("PUT", path, texts.clone()).await.body, texts);
    assert_eq!(put("GET", path, Value::Null).await.body, texts);
    assert_eq!(
        put("PUT", "/prompts/nothing/custom-text/en", json!({}))
            .await
            .status,
        404
    );
    let text = html(&app, "login-failed", "en").await;
    assert!(
        text.contains("<h1>Ahoy, Harbour</h1>") && text.contains("<p>Nope</p>"),
        "{text}"
    );
    assert!(
        text.contains("src=\"https://cdn.example/logo.svg\" alt=\"Harbour\""),
        "{text}"
    );
    let sheet = text
        .split('"')
        .find(|part| part.starts_with("/assets/theme-"))
        .unwrap();
    let sheet = app.quietly("GET", sheet, Value::Null).await;
    assert!(
        sheet.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(sheet.body.as_str().unwrap().contains("--primary:#ffe600"));
    let template = "<html><head>{%- auth0:head -%}<style>p{}</style></head><body class=\"{{ prompt.screen.name }}\">{%- auth0:widget -%}{{ application.name }}</body></html>";
    let path = "/branding/templates/universal-login";
    assert_eq!(put("GET", path, Value::Null).await.status, 404);
    let body = json!({"template": template});
    assert_eq!(put("PUT", path, body.clone()).await.status, 201);
    assert_eq!(put("PUT", path, body).await.status, 204);
    assert_eq!(
        put("PUT", path, json!({"template": "<html>"})).await.status,
        400
    );
    assert_eq!(put("GET", path, Value::Null).await.body["body"], template);
    let response = render(&state(&app), &reader(None), page("login")).await;
    let (headers, text) = text_of(response).await;
    assert!(
        text.contains("<body class=\"login\"><main") && text.contains("</main>Harbour</body>"),
        "{text}"
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("style-src 'self' 'sha256-"), "{policy}");
    assert_eq!(put("DELETE", path, Value::Null).await.status, 204);
    let theme = json!({"borders": {}, "colors": {"primary_button": "#101010"}, "fonts": {}, "page_background": {}, "widget": {}});
    assert_eq!(
        put("GET", "/branding/themes/default", Value::Null)
            .await
            .status,
        404
    );
    let made = put("POST", "/branding/themes", theme).await;
    assert_eq!(
        made.body,
        put("GET", "/branding/themes/default", Value::Null)
            .await
            .body
    );
    let id = made.body["themeId"].as_str().unwrap();
    assert_eq!(
        put("DELETE", &format!("/branding/themes/{id}"), Value::Null)
            .await
            .status,
        204
    );
    let first = json!({"identifier_first": true});
    assert_eq!(
        put("PATCH", "/prompts", first).await.body["identifier_first"],
        true
    );
    assert!(app.engine.prompt_settings().await.unwrap().identifier_first);
}

#[tokio::test]
async fn a_template_that_grows_without_end_is_refused_or_left_out() {
    let app = App::on_sqlite().await;
    let path = "/api/v2/branding/templates/universal-login";
    let put = async |middle: &str| {
        let template = format!(
            "<html><head>{{%- auth0:head -%}}</head><body>{middle}{{%- auth0:widget -%}}our own page</body></html>"
        );
        let body = json!({"template": template});
        app.quietly("PUT", path, body).await.status
    };
    let grown = |step: &str| {
        let start = "{% assign a = 'sixteen letters!' %}";
        format!("{start}{}", step.repeat(40))
    };
    for step in [
        "{% assign a = a | append: a %}",
        "{% assign a = a | prepend: a %}",
        "{% assign a = a | replace: 'e', a %}",
        "{% assign a = a ~ a %}",
        "{% assign a = [a, a] %}",
    ] {
        let middle = grown(step);
        assert_eq!(put(&middle).await, 400, "{step}");
        let mail = json!({
            "template": "welcome_email", "syntax": "liquid", "enabled": true,
            "from": "crew@example.com", "subject": "Ahoy", "body": middle,
        });
        let path = "/api/v2/email-templates";
        assert_eq!(app.quietly("POST", path, mail).await.status, 400, "{step}");
    }
    // Grows where it is shown, and only there.
    let step = "{% if prompt.screen.name %}{% assign a = a | append: a %}{% endif %}";
    for (middle, is_shown) in [("", true), (grown(step).as_str(), false)] {
        assert!(put(middle).await < 300);
        let response = render(&state(&app), &reader(None), page("login")).await;
        let (_, text) = text_of(response).await;
        assert!(text.contains("<main"), "{text}");
        assert_eq!(text.contains("our own page"), is_shown, "{text}");
    }
}

#[tokio::test]
async fn an_operator_words_the_mails() {
    let app = App::on_sqlite().await;
    app.connection("plain", json!({})).await;
    let ann = json!({"connection": "plain", "email": "ann@example.com", "user_id": "7", "password": "secret word"});
    assert_eq!(app.quietly("POST", "/api/v2/users", ann).await.status, 201);
    let next = async || {
        let body = json!({"user_id": "auth0|7"});
        app.quietly("POST", "/api/v2/jobs/verification-email", body)
            .await;
        let (now, later) = (app.engine.now(), app.engine.now());
        let mut mails = app.engine.store.claim_mail(now, later, 9).await.unwrap();
        let mail = mails.pop().unwrap();
        let mut write = app.engine.store.write();
        write.mark_sent(&mail.id, now);
        app.engine.store.commit(write).await.unwrap();
        mail
    };
    let own = next().await;
    assert_eq!(own.subject, "Confirm your email address");
    assert!(own.body.contains("\u{c}<!doctype html>"), "{}", own.body);
    let path = "/api/v2/email-templates/verify_email";
    assert_eq!(app.quietly("GET", path, Value::Null).await.status, 404);
    assert_eq!(
        app.quietly("PATCH", path, json!({"enabled": true}))
            .await
            .status,
        404
    );
    let template = json!({
        "template": "verify_email", "syntax": "liquid", "enabled": true,
        "from": "{{ tenant }} <crew@example.com>", "subject": "Ahoy {{ user.email }}",
        "body": "<p>Dear {{ user.name | default: 'crew' }},</p><a href=\"{{ url }}\">aboard</a>",
        "urlLifetimeInSeconds": 60,
    });
    let made = app
        .quietly("POST", "/api/v2/email-templates", template.clone())
        .await;
    assert_eq!((made.status, &made.body), (200, &template));
    let again = app
        .quietly("POST", "/api/v2/email-templates", template)
        .await;
    assert_eq!(again.status, 409);
    let bad = app
        .quietly("PATCH", path, json!({"body": "{{ x | nonsense }}"}))
        .await;
    assert_eq!(bad.status, 400);
    let mail = next().await;
    assert_eq!(mail.subject, "Ahoy ann@example.com");
    let parts: Vec<_> = mail.body.split('\u{c}').collect();
    assert!(
        parts[0].starts_with("Dear crew,\nhttps://ferry.example/u/email-verification?ticket="),
        "{}",
        parts[0]
    );
    assert!(
        parts[1].starts_with("<p>Dear crew,</p><a href=\"https://ferry.example/"),
        "{}",
        parts[1]
    );
    assert_eq!(parts[2], "ferry.example <crew@example.com>");
    let link = parts[0].lines().nth(1).unwrap().trim_end_matches('#');
    app.later(61);
    let link = link.strip_prefix("https://ferry.example").unwrap();
    assert_eq!(app.quietly("GET", link, Value::Null).await.status, 400);
    app.quietly("PATCH", path, json!({"enabled": false})).await;
    assert_eq!(next().await.subject, "Confirm your email address");
}
