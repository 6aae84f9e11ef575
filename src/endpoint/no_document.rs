//! The page of a login whose client's document is not to be had.

use http::request::Parts;

use super::{answer, refusal::Refusal, same_site, visit::Visit};
use crate::{
    body::OwnResponse,
    event::Step,
    page::{Failure, Page, Situation},
    proxy::Proxy,
};

/// The page, with a name that the operator finds in the events, and a link to try again.
///
/// The link leads to where the browser is already. It stands there only for a person who came by themselves: what
/// follows a link of ours counts as their own step, and a login that another site began must not become that.
pub(super) fn page(
    proxy: &Proxy,
    parts: &Parts,
    refusal: Refusal,
    situation: Situation,
    visit: &Visit<'_>,
) -> OwnResponse {
    let id = visit.id();
    let refusal = refusal.in_login(&id);
    proxy.emit(&refusal.event(Step::Authorize));
    let may_again =
        situation == Situation::NoDocument && same_site::is_by_the_person(&parts.headers);
    let again = may_again.then(|| {
        let (origin, uri) = (proxy.options.base.origin(), &parts.uri);
        [origin, uri.path(), "?", uri.query().unwrap_or_default()].concat()
    });
    let again = again.as_deref();
    let page = Page::Failure(Failure { situation, again });
    answer::page(&visit.in_login(&id), refusal.error.status, &page)
}
