//! The refusals of providers, of their APIs, and of what stands in front of them.

use super::*;
use crate::provider::{
    Provider,
    fake::{answer, json_answer},
    generic,
    redaction::without,
    token_answer::token_answer,
    upstream_error::Finality,
};

fn idp() -> Provider {
    generic("https://a.example/a", "https://a.example/t", "id", "s")
}

fn accepted(answer: &Answer) -> Result<Option<Map<String, Value>>, UpstreamError> {
    super::accepted(&*idp().dialect, answer)
}

/// What a form endpoint's answer comes to: `accepted`, `failed`, or the code of a rejection.
fn outcome(answer: &Answer) -> String {
    match accepted(answer) {
        Ok(_) => "accepted".to_owned(),
        Err(UpstreamError::Rejected { code, status, .. }) => {
            assert_eq!(status, answer.status.as_u16());
            code
        }
        Err(UpstreamError::Failed { status, .. }) => {
            assert_eq!(status, answer.status.as_u16());
            "failed".to_owned()
        }
        Err(other) => panic!("{other}"),
    }
}

fn json(status: u16, body: &str) -> String {
    outcome(&json_answer(status, body))
}

/// The answers of real providers to the renewal of a token that is dead, or may be.
#[test]
fn each_providers_refusal_of_a_renewal_has_its_row() {
    use Finality::{Bounded, Ends, Trouble};
    for (who, status, body, expected) in [
        (
            "Google",
            400,
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            Ends,
        ),
        (
            "Google",
            401,
            r#"{"error":"deleted_client","error_description":"The OAuth client was deleted."}"#,
            Trouble,
        ),
        (
            "GitHub",
            200,
            r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#,
            Ends,
        ),
        (
            "GitHub",
            200,
            r#"{"error":"incorrect_client_credentials"}"#,
            Trouble,
        ),
        (
            "Entra",
            400,
            r#"{"error":"interaction_required","error_description":"AADSTS50076: multi-factor"}"#,
            Ends,
        ),
        ("Entra", 400, r#"{"error":"consent_required"}"#, Ends),
        ("Entra", 400, r#"{"error":"login_required"}"#, Ends),
        (
            "a gateway",
            401,
            r#"{"error":"login_required","redirect":"/sso"}"#,
            Bounded,
        ),
        (
            "Entra",
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired keys"}"#,
            Trouble,
        ),
        (
            "Entra",
            400,
            r#"{"error":"unauthorized_client","error_description":"AADSTS700016: application not found"}"#,
            Bounded,
        ),
        (
            "Auth0",
            403,
            r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#,
            Ends,
        ),
        (
            "Auth0",
            403,
            r#"{"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"x"}"#,
            Ends,
        ),
        (
            "Auth0",
            403,
            r#"{"error":"unauthorized_client","error_description":"Grant type 'refresh_token' not allowed for the client."}"#,
            Bounded,
        ),
        ("Auth0", 429, r#"{"error":"too_many_requests"}"#, Trouble),
        (
            "Atlassian",
            403,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
            Ends,
        ),
        (
            "Slack",
            200,
            r#"{"ok":false,"error":"invalid_refresh_token"}"#,
            Ends,
        ),
        (
            "Slack",
            200,
            r#"{"ok":false,"error":"ratelimited"}"#,
            Trouble,
        ),
        (
            "Slack",
            200,
            r#"{"ok":false,"error":"a_new_word"}"#,
            Bounded,
        ),
        (
            "Salesforce",
            400,
            r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#,
            Ends,
        ),
        (
            "Zoom",
            400,
            r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
            Ends,
        ),
        (
            "Twitch",
            400,
            r#"{"status":400,"message":"Invalid refresh token"}"#,
            Bounded,
        ),
        (
            "Twitch",
            400,
            r#"{"error":"Bad Request","status":400,"message":"Invalid refresh token"}"#,
            Bounded,
        ),
        (
            "HubSpot",
            400,
            r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#,
            Bounded,
        ),
        (
            "DeviantArt",
            400,
            r#"{"error":"invalid_request","error_description":"The refresh_token is invalid.","status":"error"}"#,
            Bounded,
        ),
        (
            "Okta",
            403,
            r#"{"errorCode":"E0000006","errorSummary":"You do not have permission"}"#,
            Bounded,
        ),
        (
            "WeChat",
            200,
            r#"{"errcode":40030,"errmsg":"invalid refresh_token"}"#,
            Bounded,
        ),
        (
            "Meta",
            400,
            r#"{"error":{"message":"Session has expired","type":"OAuthException","code":190}}"#,
            Bounded,
        ),
        ("anybody", 400, r#"{"error":"invalid_scope"}"#, Bounded),
        ("anybody", 403, r#"{"error":"access_denied"}"#, Bounded),
        (
            "anybody",
            401,
            r#"{"error":"temporarily_unavailable"}"#,
            Trouble,
        ),
        ("anybody", 500, r#"{"error":"invalid_grant"}"#, Trouble),
    ] {
        let error = token_answer(&idp(), &json_answer(status, body)).unwrap_err();
        assert_eq!(error.finality(), expected, "{who}: {body}: {error}");
    }
}

#[test]
fn an_operator_reads_what_the_provider_said() {
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"expired"}"#,
            "refused with status 400: invalid_grant: expired",
        ),
        (
            400,
            r#"{"status":400,"message":"Invalid refresh token"}"#,
            "refused with status 400: Invalid refresh token",
        ),
        (
            400,
            r#"{"status":"BAD_REFRESH_TOKEN","message":"no"}"#,
            "refused with status 400: BAD_REFRESH_TOKEN: no",
        ),
        (
            401,
            r#"{"reason":"Invalid Token!","error":"invalid_client"}"#,
            "refused with status 401: invalid_client: Invalid Token!",
        ),
        (
            503,
            r#"{"error":"temporarily_unavailable","error_description":"at night"}"#,
            "failed with status 503: temporarily_unavailable: at night",
        ),
        (403, r#"{"message":"Forbidden"}"#, "failed with status 403"),
        (
            403,
            "<html>",
            "failed with status 403: the answer is a page for a browser, so something between us and the provider may have sent it",
        ),
    ] {
        let error = accepted(&json_answer(status, body)).unwrap_err();
        assert_eq!(error.to_string(), format!("the provider {expected}"));
    }
}

#[test]
fn the_providers_own_word_is_a_rejection_under_any_status_that_can_carry_one() {
    let grant = r#"{"error":"invalid_grant","error_description":"gone"}"#;
    for status in [200, 400, 401, 403, 404] {
        assert_eq!(json(status, grant), "invalid_grant", "{status}");
    }
    // However the description is encoded: this one is Latin-1.
    let latin = b"{\"error\":\"invalid_grant\",\"error_description\":\"expir\xe9\"}";
    assert_eq!(outcome(&answer(400, None, latin)), "invalid_grant");
    let marked = b"\xef\xbb\xbf{\"error\":\"invalid_grant\"}";
    assert_eq!(outcome(&answer(400, None, marked)), "invalid_grant");
}

#[test]
fn an_error_with_status_200_is_a_rejection() {
    // GitHub, as JSON and as a form, even beside a token.
    let form = b"error=incorrect_client_credentials&error_description=The+client+secret";
    let form = answer(200, Some("application/x-www-form-urlencoded"), form);
    assert_eq!(outcome(&form), "incorrect_client_credentials");
    for (body, expected) in [
        (
            r#"{"access_token":"at","error":"access_denied"}"#,
            "access_denied",
        ),
        (
            r#"{"ok":false,"error":"invalid_client_id"}"#,
            "invalid_client_id",
        ),
        (
            r#"{"access_token":"at","error":"Something Went Wrong"}"#,
            "Something Went Wrong",
        ),
        (r#"{"access_token":"at","error":{"message":"no"}}"#, "no"),
        (r#"{"error":null,"access_token":"at"}"#, "accepted"),
        (r#"{"error":"","access_token":"at"}"#, "accepted"),
        (r#"{"error":0,"access_token":"at"}"#, "accepted"),
    ] {
        assert_eq!(json(200, body), expected, "{body}");
    }
}

#[test]
fn a_server_error_or_a_limit_is_passing_trouble_whatever_its_body_says() {
    for status in [408, 425, 429, 500, 502, 503, 504, 520, 599] {
        assert_eq!(
            json(status, r#"{"error":"invalid_grant"}"#),
            "failed",
            "{status}"
        );
    }
    for code in PASSING {
        let body = format!(r#"{{"error":"{code}"}}"#);
        for status in [200, 400, 403] {
            assert_eq!(json(status, &body), "failed", "{status} {code}");
        }
    }
    // GitHub's limits, and the same answer without the header.
    let body = r#"{"message":"You have exceeded a secondary rate limit"}"#;
    let mut limit = json_answer(403, body);
    assert_ne!(outcome(&limit), "failed");
    limit.limited = true;
    assert_eq!(outcome(&limit), "failed");
    // A code of the protocol is the provider's word on the token, however busy the provider is.
    let mut dead = json_answer(403, r#"{"error":"invalid_grant"}"#);
    dead.limited = true;
    assert_eq!(outcome(&dead), "invalid_grant");
}

#[test]
fn a_gateways_page_is_never_the_providers_word() {
    let page = b"<h1>error=invalid_grant</h1>";
    for status in [400, 401, 403, 404, 407, 413, 422] {
        for content_type in [
            Some("text/html; charset=utf-8"),
            Some("application/json"),
            None,
        ] {
            assert_eq!(outcome(&answer(status, content_type, page)), "failed");
        }
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"status":404,"error":"Not Found"}"#,
            r#"{"timestamp":"now","status":403,"error":"Forbidden","path":"/token"}"#,
            r#"{"message":"Forbidden"}"#,
            r#"{"error":"unauthorized"}"#,
            r#"{"error":"not_found"}"#,
            r#"{"error":{"code":403,"message":"Forbidden","status":"FORBIDDEN"}}"#,
            r#"{"type":"about:blank","title":"Bad Request","status":400}"#,
        ] {
            assert_eq!(json(status, body), "failed", "{status} {body}");
        }
    }
    // A wrong address is the operator's to mend.
    for status in [404, 405, 410, 415] {
        assert_eq!(json(status, r#"{"message":"no such endpoint"}"#), "failed");
    }
}

#[test]
fn a_redirect_is_no_answer() {
    assert_eq!(outcome(&answer(302, None, b"access_token=at")), "failed");
    assert_eq!(json(307, r#"{"access_token":"at"}"#), "failed");
}

#[test]
fn code_and_description_are_bounded_and_printable() {
    let body = serde_json::json!({
        "error": "E\n".repeat(MAX_ERROR_CODE),
        "error_description": format!("a\r\nb\u{202e}{}", "y".repeat(9_000)),
    });
    let refused = accepted(&json_answer(400, &body.to_string())).unwrap_err();
    let UpstreamError::Rejected {
        description, code, ..
    } = refused
    else {
        panic!("{refused}")
    };
    assert_eq!(code.chars().count(), MAX_ERROR_CODE);
    assert!(code.starts_with("E\u{fffd}E"));
    let description = description.unwrap();
    assert!(description.starts_with("a\u{fffd}\u{fffd}b\u{fffd}y"));
    assert_eq!(description.chars().count(), MAX_ERROR_DESCRIPTION);
}

#[test]
fn what_was_sent_is_cut_out_of_what_is_said() {
    let secret = "hunter2-hunter2-hunter2";
    let long = "x".repeat(MAX_ERROR_DESCRIPTION - 12);
    for words in [
        format!("Invalid refresh token: {secret} ({secret})"),
        format!("{long}{secret}"),
    ] {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": words});
        let error = accepted(&json_answer(400, &body.to_string())).unwrap_err();
        let clean = without(error, &[secret, "", "invalid"]).to_string();
        assert!(!clean.contains("hunter2"), "{clean}");
        assert!(
            clean.contains("invalid_grant") && clean.contains("[redacted]"),
            "{clean}"
        );
    }
}

#[test]
fn what_looks_like_a_token_is_left_out_and_what_helps_an_operator_stays() {
    for (said, shown) in [
        (
            "Invalid refresh token: 8f7e6d5c4b3a29180f1e2d3c",
            "Invalid refresh token: [redacted]",
        ),
        (
            "(ghr_16C7e42F292c6912E7710c838347Ae178B4a) is over",
            "([redacted]) is over",
        ),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, no",
            "[redacted], no",
        ),
        (
            "bad token M.C5_BAY.-CQ!a8Kq7*dPz4Xw91!mNvB3yTz*u5hG$$ here",
            "bad token [redacted] here",
        ),
        ("/cb?code=M%2EaB3dE%2FfG7hI%2FjK1l", "/cb?[redacted]"),
        (
            "AADSTS50076: MFA. Trace ID: 4457d068-2a03-42b2-97f2-d55325289d86",
            "AADSTS50076: MFA. Trace ID: 4457d068-2a03-42b2-97f2-d55325289d86",
        ),
        (
            "see https://login.microsoftonline.com/error?code=50076",
            "see https://login.microsoftonline.com/error?code=50076",
        ),
        ("at 2026-11-27 11:34:42Z", "at 2026-11-27 11:34:42Z"),
        ("é8f7e6d5c4b3a29180f1e2d3cé", "é[redacted]é"),
    ] {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": said});
        let error = accepted(&json_answer(400, &body.to_string())).unwrap_err();
        let told = error.to_string();
        assert!(told.ends_with(&format!("invalid_grant: {shown}")), "{told}");
    }
    // A token for a code, and one that the bound would have cut in two.
    let token = "8f7e6d5c4b3a29180f1e2d3c";
    assert_eq!(
        json(400, &format!(r#"{{"error":"{token}"}}"#)),
        "[redacted]"
    );
    let long = format!("{} {token}", "x".repeat(MAX_ERROR_DESCRIPTION - 10));
    let body = serde_json::json!({"error": "invalid_grant", "error_description": long});
    let error = accepted(&json_answer(400, &body.to_string())).unwrap_err();
    assert!(!error.to_string().contains("8f7e"), "{error}");
}

/// What an API's answer comes to, as one word.
fn api(answer: &Answer) -> &'static str {
    match api_refusal(answer) {
        None => "document",
        Some(UpstreamError::TokenRefused { .. }) => "token refused",
        Some(UpstreamError::NotPermitted { .. }) => "not permitted",
        Some(UpstreamError::Failed { .. }) => "failed",
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn an_api_that_refuses_the_token_is_told_from_one_that_refuses_the_request_and_from_trouble() {
    for (status, body, expected) in [
        (200, r#"{"sub":"u"}"#, "document"),
        (200, r#"{"ok":true,"sub":"u"}"#, "document"),
        (200, r#"{"sub":"u","error":"a claim"}"#, "document"),
        (
            200,
            r#"{"ok":false,"error":"token_revoked"}"#,
            "token refused",
        ),
        (
            200,
            r#"{"ok":false,"error":"account_inactive"}"#,
            "token refused",
        ),
        (
            200,
            r#"{"ok":false,"error":"invalid_auth"}"#,
            "not permitted",
        ),
        (200, r#"{"ok":false,"error":"ratelimited"}"#, "failed"),
        (401, r#"{"message":"Bad credentials"}"#, "token refused"),
        (401, "", "token refused"),
        (
            403,
            r#"{"message":"Resource not accessible by integration"}"#,
            "not permitted",
        ),
        (403, r#"{"error":"insufficient_scope"}"#, "not permitted"),
        (403, r#"{"error":"invalid_token"}"#, "token refused"),
        (400, r#"{"error":"invalid_token"}"#, "token refused"),
        (404, "{}", "not permitted"),
        (403, "<html>blocked", "failed"),
        (401, "<html>sign in to the network", "failed"),
        (405, "{}", "failed"),
        (408, "{}", "failed"),
        (425, "{}", "failed"),
        (429, r#"{"error":"invalid_token"}"#, "failed"),
        (500, r#"{"error":"invalid_token"}"#, "failed"),
        (302, "", "failed"),
    ] {
        assert_eq!(api(&json_answer(status, body)), expected, "{status} {body}");
    }
}

#[test]
fn an_apis_challenge_and_its_limits_count() {
    let with = |status, limited, challenge| {
        let mut answer = json_answer(status, "{}");
        (answer.limited, answer.challenge) = (limited, challenge);
        api(&answer)
    };
    assert_eq!(with(403, false, Challenge::InvalidToken), "token refused");
    assert_eq!(with(403, false, Challenge::Bearer), "not permitted");
    assert_eq!(with(403, true, Challenge::None), "failed");
    assert_eq!(with(401, true, Challenge::Bearer), "token refused");
    // A gateway's own login says nothing of our token.
    assert_eq!(with(401, false, Challenge::Password), "not permitted");
    assert_eq!(with(429, true, Challenge::InvalidToken), "failed");
    // A provider may show a page with its challenge; a gateway has none.
    let mut page = answer(401, Some("text/html"), b"<html>");
    assert_eq!(api(&page), "failed");
    page.challenge = Challenge::Password;
    assert_eq!(api(&page), "failed");
    page.challenge = Challenge::Bearer;
    assert_eq!(api(&page), "token refused");
}
