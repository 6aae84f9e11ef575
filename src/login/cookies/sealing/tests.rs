use super::*;
use crate::{
    client::{AuthRule, Client, ClientAuthMethod, ClientKind, RedirectUri},
    config::PassOn,
    login::{
        account::{Account, AccountName, Finished, StateMark},
        approvals::Approvals,
        cookies::kind::tag,
        progress::{AuthorizationRequest, Login, RequestedLogin, Start},
        wishes::Wishes,
    },
    oauth::{BaseUrl, CodeChallenge, CodeVerifier, Params, Resource, ScopeSet},
    time::Unix,
};

const BASE: &str = "https://mcp.example.com";

fn key(label: &str) -> Rotating<SealKey> {
    Rotating::new(crate::key::tests::key().seal(label), [])
}

fn here() -> Sealing {
    Sealing::new(CookieKeys::derived(key), BASE)
}

const KINDS: [Kind; 5] = Kind::ALL;

#[test]
fn no_two_cookies_share_a_key() {
    let keys = CookieKeys::derived(key);
    let all = [
        &keys.request,
        &keys.login,
        &keys.account,
        &keys.approvals,
        &keys.finished,
    ];
    for (n, sealing) in all.iter().enumerate() {
        let sealed = sealing.seal(b"", b"x");
        for (m, opening) in all.iter().enumerate() {
            assert_eq!(opening.open(b"", sealed.clone()).is_ok(), n == m, "{n} {m}");
        }
    }
}

/// Even where all keys were one: each part of the associated data holds by itself.
#[test]
fn a_cookie_opens_as_what_it_is_where_it_was_made_and_under_its_name() {
    let one_key = |base| Sealing::new(CookieKeys::derived(|_| key("one")), base);
    let here = one_key(BASE);
    let there = one_key("https://mcp.example.com:8443");
    let tag_of = tag;
    let tag = tag("a");
    for kind in KINDS {
        let sealed = here.seal(kind, &tag, &"x");
        let opened =
            |at: &Sealing, kind, tag: &str| -> Option<String> { at.open(kind, tag, &sealed) };
        assert_eq!(opened(&here, kind, &tag).as_deref(), Some("x"));
        assert_eq!(opened(&there, kind, &tag), None, "{kind:?}");
        assert_eq!(opened(&here, kind, &tag_of("b")), None, "{kind:?}");
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert_eq!(opened(&here, other, &tag), None, "{kind:?} {other:?}");
        }
    }
}

/// The names are those of the fields in which they stand.
fn request(wishes: Wishes) -> AuthorizationRequest {
    let base = BaseUrl::parse(BASE).unwrap();
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    AuthorizationRequest {
        client: crate::client::SeenClient::kept("AXd8bGllbnQ".into(), None),
        redirect_uri: RedirectUri::parse("http://127.0.0.1:51234/callback").unwrap(),
        state: Some("state of the client".into()),
        challenge: CodeChallenge::parse(challenge, Some("S256"), false).unwrap(),
        scopes: ScopeSet::parse("openid read").unwrap(),
        resource: Resource::parse("https://mcp.example.com/mcp", &base).unwrap(),
        wishes,
    }
}

fn requested() -> RequestedLogin {
    let asked = "prompt=login&login_hint=ada&max_age=60&ui_locales=de";
    let all = [
        PassOn::Prompt,
        PassOn::LoginHint,
        PassOn::MaxAge,
        PassOn::UiLocales,
    ];
    let wishes = Wishes::read(&Params::parse(asked).unwrap(), &all).unwrap();
    RequestedLogin {
        id: "aWQgb2YgdGhlIGxvZ2lu".into(),
        form_token: "Zm9ybSB0b2tlbg".into(),
        issued_at: Unix::at(1_700_000_000),
        start: Start {
            from_elsewhere: true,
            provider: None,
        },
        request: request(wishes),
    }
}

fn login() -> Login {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    Login {
        id: "aWQgb2YgdGhlIGxvZ2lu".into(),
        provider: "github".into(),
        state: "c3RhdGUgdG8gcHJvdmlkZXI".into(),
        nonce: "bm9uY2U".into(),
        verifier: CodeVerifier::from_string(verifier.to_owned()).unwrap(),
        issued_at: Unix::at(1_700_000_060),
        from_elsewhere: false,
        request: request(Wishes::default()),
    }
}

fn account() -> Account {
    let name = AccountName {
        name: Some("Ada".into()),
        address: Some("ada@notes.example".into()),
        is_confirmed: true,
        login_name: None,
        subject: None,
    };
    let code = "AQABAgMEBQYHCAkKCwwNDg8HBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw";
    let account = Account::new(&login(), code, name, Unix::at(1_700_000_090));
    Account {
        form_token: "Zm9ybSB0b2tlbg".into(),
        ..account
    }
}

fn finished() -> Finished {
    Finished {
        id: "aWQgb2YgdGhlIGxvZ2lu".into(),
        state: Some(StateMark::of("c3RhdGUgdG8gcHJvdmlkZXI")),
        at: Unix::at(1_700_000_100),
        has_access: true,
    }
}

fn approvals() -> Approvals {
    let request = request(Wishes::default());
    Approvals::default().with(&request, "github", [].into_iter(), Unix::at(1_700_000_120))
}

/// Opens the cookie of an earlier version, and compares it with what was sealed into it.
#[track_caller]
fn is_read<T: Serialize + DeserializeOwned>(kind: Kind, tag: &str, sample: &str, wrote: &T) {
    let opened: T = here().open(kind, tag, sample).unwrap_or_else(|| {
        let now = here().seal(kind, tag, wrote);
        panic!("the sample does not open; today it would be {now}")
    });
    let bytes = |value: &T| postcard::to_allocvec(value).unwrap();
    assert_eq!(bytes(&opened), bytes(wrote));
}

/// Browsers hold cookies of these formats. Where one of these tests fails, a login in progress fails
/// at the next roll-out: raise the version, or read both.
#[test]
fn a_request_cookie_of_this_format_is_read() {
    let sample = "ASzdh342ZKtP9z-iGiUjbE_Hjosz6LO88khbEEaBcGBZY0lAcLUUFRhrM5w21ZIawO0ZJ9VIEhZazF3I\
        1Ie_YBPIcU8xxbj2m1FXlbXHesxLurJIJ_dA2JmGEvPGdzs4tuq-b79z9UZWK51wd_6m6M6pet2Pv4vX\
        WzDRoviu3EBh_zcQq0djSy1iFOuGsaNIK_MAY-Pg2JTC5K9IjspKehOk5FZq2pOxzQgwX_zRod62Pd_8\
        7cePaSKIchYiXm847XNT4DhX022tRdJIOdoVu9Yju81QxhnXvH4JEM2rbr93vSaH9T2NDJdeqN6bnhTj\
        C1v2QRXsEjA";
    is_read(Kind::Request, &tag("id"), sample, &requested());
}

#[test]
fn a_login_cookie_of_this_format_is_read() {
    let sample = "ASzdh36TaD9IgRFYYS9PpeY2asvCrLTGdk5X1stSSqyGu3-94Qn-ObD4ScyMRTEweW6gWI4AvXVtgtsg\
        wc9yBrNLrGB1Z0-y29W4d_hBTsbP8HnJNCc5Qsbyf4UZmcw4IIi-UHvq4Hzola3ymMnlY9cuutDc28IE\
        1DNmWbLL4OH4tszpRAr_hf88UrMYgjbZHV1dpLJVhDLiqtCkVGjXwU1tWwLBsTr6kNXwDQeyj5fgUrZA\
        TIhv75LwsoBo6GqJhNE68dde6PZJVqR5zT6lf0OuvGvjwcSDS5-UsjVgnRbNCLclCw6fC8kD-23itQuP\
        8a9C_XmYTAAZzFxEKwV1UBj2LjSgUNtAJPxSj0UdPanzpAVbcxlHnHf2h4bTvs0mRMsJbMRMtSiTitU";
    is_read(Kind::Login, &tag("state"), sample, &login());
}

#[test]
fn an_account_cookie_of_this_format_is_read() {
    let sample = "ASzdh35Mda3zygW8PKzpnLg4I8Bi6N-i4NgfJbBBsT0pVt7yFDBz9j_Ir_9q_TxtfUYGTB18jtTcPGe7\
        qXNncB7tF1AwL9Ht17DOd7fw4mvdgYmFy0ESVxcpHS1VtZY1Jw83HuRkV4M72l66MutAdwZPxqIy2jIu\
        QTs00DWJD7bASwfjbIwydozJrEeniYgeXPfd4AoOfT8-QKT-C3_p6ki6Lcu0H-Gbx0ObEPFbnInH7LpN\
        2_wOG-AByOe_vaV2iFpEseuvTEaYRIPFD6Nk5WDlVb7CqLF5cUJRUS7cpMZtPJ7jGP0NdEyTJqRZfAVP\
        X13d9C8UE1Cml1oW_ayaS2QN50-ussYqVKrcGfMpmRXa8Y20zJbkomGtaF9TzMPaV4wMNYzW6TG3tP5A\
        _uoPjIzIwJO0EstKQ4_fRRoSSBL85Liqch6ZdTK93TuYySg";
    is_read(Kind::Account, &tag("id"), sample, &account());
}

#[test]
fn a_finished_cookie_of_this_format_is_read() {
    let sample = "ASzdh37cRQ2SsQiI9nTvIPYVcu8jV2HPLoZUb0GT8g1nuCInb0VIzvLuapz8KhEsL2d8pU-pfew8_MEJ\
        jE8Niy_LS2sFpQbOOHsPIfCtLAyMfk_E_qc";
    is_read(Kind::Finished, &tag("id"), sample, &finished());
}

/// Read, and it covers nothing: it does not say which provider was approved.
#[test]
fn an_approvals_cookie_of_before_several_providers_is_read_and_covers_nothing() {
    let sample = "ASzdh35XuP4BBEBkFNXMBFLVqmeIwO7fbc-AZ4mIaCJKSlXCS1yk1_ehC1k8TeDUNsIXVIbybJkMN-xp\
        x5cqClvHhts";
    let opened: Option<Approvals> = here().open(Kind::Approvals, "", sample);
    let opened = opened.unwrap();
    assert!(!opened.covers(&request(Wishes::default()), "github"));
    assert!(approvals().covers(&request(Wishes::default()), "github"));
}

#[test]
fn an_approvals_cookie_of_this_format_is_read() {
    let sample = "ASzdh37TyBVRRpGL6QL7thbzMth_BsMjcLEyhioevlKGFCLE0qJ4aZhvQUfu3RfVQ88Aqx5FSsf0viyO\
        CgDt3K5GvFE";
    is_read(Kind::Approvals, "", sample, &approvals());
}

#[test]
fn a_request_cookie_that_names_a_provider_is_read() {
    let sample = "ASzdh348eFfiEsDy0Ulu7_-wSAVSEDrDB5YAWYyJcN0ym5rhr3anDH_vb8xUZQXljGEPeorYRPVhburu\
        30BzkaKwh3kPBTRGjIEHxF7-pRnuTe_kEDlDspI9pnRX2yxYHqe87bNySLzMn5EpInnW76m4kieImnWp\
        ta8sSBTzONJFB6VSJjVuuM8c1wgOYFLE1T-57HX-9sOW9TK15o8ma5mjXQjOiAeS-MAjnbLJOoiOzeWc\
        iwBhWf6CL16VwliVA5j9uTfvGWB9usjcTBjT_xqoBPi2u8iKGbj1ea6iTQV_g11wsKNHRU2f96FhP870\
        EhXfTYIj9ZomCDNtDBkb";
    let mut requested = requested();
    requested.start.provider = Some("github".into());
    is_read(Kind::Request, &tag("id"), sample, &requested);
}

/// What a document said stands where the id alone stood: browsers hold these bytes.
#[test]
fn a_client_with_a_document_is_written_with_what_was_seen_of_it() {
    let client = Client {
        id: "https://client.example/app".into(),
        name: Some("Kit".into()),
        redirect_uris: Vec::new(),
        auth: AuthRule::Exactly(ClientAuthMethod::None),
        keys: None,
        scope: None,
        kind: ClientKind::Document,
    };
    let mut request = request(Wishes::default());
    request.client = client.seen();
    let bytes = postcard::to_allocvec(&request).unwrap();
    let written = b"\x02\x1ahttps://client.example/app\x01\x03Kit\x00";
    assert!(bytes.starts_with(written), "{bytes:?}");
    let read: AuthorizationRequest = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(read.client, request.client);
}

#[test]
fn another_version_and_a_byte_too_many_are_no_cookie() {
    let sealed = |plain: &[u8]| {
        let keys = CookieKeys::derived(key);
        let context = here().context(Kind::Request, "");
        URL_SAFE_NO_PAD.encode(keys.request.seal(context.as_bytes(), plain))
    };
    let open = |plain: &[u8]| -> Option<u64> { here().open(Kind::Request, "", &sealed(plain)) };
    assert_eq!(open(&[VERSION, 7]), Some(7));
    for odd in [
        &[][..],
        &[VERSION],
        &[VERSION, 7, 0],
        &[VERSION, 0x80],
        &[0, 7],
        &[2, 7],
    ] {
        assert_eq!(open(odd), None, "{odd:?}");
    }
}
