//! The HTTP server behind: a request goes to it, its answer comes back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{Instant, sleep_until, timeout};
use tower::Service;
use tower_oauth_proxy::{AuthSession, BoxError};

use super::{
    connector::{Connector, Versions},
    download::Download,
    failure::{Failure, reason},
    service::Permit,
    target::Target,
    tunnel,
    way_back::WayBack,
};
use crate::{
    answer::AnswerBody,
    headers::{drop_own_cookies, tell_of_peer},
    identity::Identity,
    inbound::{Arrival, UploadState},
    limits, numbers,
    settings::{LimitSettings, PublicName, UpstreamSettings},
    shutdown::Phases,
};

type SentBody = UnsyncBoxBody<Bytes, BoxError>;
type HttpClient = Client<Connector, SentBody>;

/// The server behind.
pub(crate) struct Server {
    client: HttpClient,
    /// An upgrade needs a connection of HTTP/1.
    for_tunnels: HttpClient,
    /// Its URL, for the operator.
    name: String,
    connector: Connector,
    target: Target,
    way_back: WayBack,
    public: PublicName,
    own_cookies: Vec<u8>,
    answer_within: Duration,
    age: Duration,
    phases: Phases,
}

impl Server {
    /// # Errors
    ///
    /// A sentence about TLS.
    pub(super) fn new(
        settings: &UpstreamSettings,
        public: PublicName,
        cookie_prefix: &str,
        limits: &LimitSettings,
        phases: Phases,
    ) -> Result<Self, String> {
        let connector = Connector::new(settings, Versions::Both, limits.connect)?;
        let target = Target::new(settings, &public);
        let own_cookies = format!("{cookie_prefix}oauth-").into_bytes();
        let host = target.host().clone();
        let way_back = WayBack::new(settings, host, public.clone(), own_cookies.clone());
        let one = Connector::new(settings, Versions::OneAlone, limits.connect)?;
        Ok(Self {
            client: client(connector.clone(), settings.http2_without_tls),
            for_tunnels: client(one, false),
            name: settings.to_string(),
            connector,
            target,
            way_back,
            public,
            own_cookies,
            answer_within: limits.answer,
            age: limits.stream,
            phases,
        })
    }

    /// Its URL, for the operator.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Sends it on.
    pub(super) async fn send<B>(
        &self,
        request: Request<B>,
        arrival: Option<Arrival>,
        session: Option<&AuthSession>,
        identity: &Identity,
        permit: Permit,
    ) -> Result<Response<AnswerBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let upload = arrival.as_ref().map(|arrival| Arc::clone(&arrival.upload));
        let tunnel = arrival.as_ref().and_then(|arrival| arrival.tunnel.clone());
        let request = self.prepared(request, arrival.as_ref(), session, identity)?;
        let client = match &tunnel {
            Some(_) => &self.for_tunnels,
            None => &self.client,
        };
        let asking = client.request(request);
        let began = Instant::now();
        let answered = tokio::select! {
            answered = asking => answered,
            () = self.waited(upload.as_deref()) => return Err(Failure::NoAnswer),
        };
        let mut answer = answered.map_err(|error| {
            // What the client's side broke is not the server's fault.
            let upload = upload.and_then(|upload| upload.error());
            upload.map_or_else(|| Failure::of(&error), Failure::Upload)
        })?;
        numbers::answered(answer.status(), began.elapsed());
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client = tunnel.and_then(|tunnel| tunnel.take());
            return tunnel::open(answer, client, self.age, self.phases.clone(), permit);
        }
        self.way_back.prepare(answer.headers_mut());
        let answer = Download::of(answer, self.age, self.phases.clone(), permit);
        Ok(answer.map(AnswerBody::stream))
    }

    /// The request as the server behind sees it.
    fn prepared<B>(
        &self,
        request: Request<B>,
        arrival: Option<&Arrival>,
        session: Option<&AuthSession>,
        identity: &Identity,
    ) -> Result<Request<SentBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let is_chunked = !body.is_end_stream() && body.size_hint().exact().is_none();
        let body = body.map_err(Into::into).boxed_unsync();
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = self.target.of(&parts.uri).ok_or(Failure::Target)?;
        *request.headers_mut() = parts.headers;
        let headers = request.headers_mut();
        // The client of the other side says it by the URI.
        headers.remove(header::HOST);
        // By the layer on protected paths, here on all.
        headers.remove(header::AUTHORIZATION);
        if is_chunked {
            // Unless it is said, hyper leaves such a body out where the method is GET or HEAD, and what was judged here
            // is not what the server gets. Over HTTP/2 hyper drops it.
            let chunked = HeaderValue::from_static("chunked");
            headers.insert(header::TRANSFER_ENCODING, chunked);
        }
        drop_own_cookies(headers, |name| name.starts_with(&self.own_cookies));
        let peer = arrival.map(|arrival| arrival.peer);
        tell_of_peer(headers, peer, &self.public, parts.version);
        if let Some(arrival) = arrival {
            if arrival.takes_trailers {
                headers.insert(header::TE, HeaderValue::from_static("trailers"));
            }
            if arrival.tunnel.is_some() {
                tunnel::ask(headers);
            }
        }
        identity
            .apply(session, headers)
            .map_err(Failure::Identity)?;
        *request.version_mut() = Version::HTTP_11;
        Ok(request)
    }

    /// Until nothing has come from the client, and nothing from the server, for as long as an answer may take.
    async fn waited(&self, upload: Option<&UploadState>) {
        let mut since = Instant::now();
        loop {
            sleep_until(since + self.answer_within).await;
            match upload.map(UploadState::last) {
                Some(last) if last > since => since = last,
                _ => return,
            }
        }
    }

    /// Whether it takes connections.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let mut connector = self.connector.clone();
        match timeout(limits::REACHED_WITHIN, connector.call(http::Uri::default())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(reason(&*error)),
            Err(_) => Err(format!("not reached within {:?}", limits::REACHED_WITHIN)),
        }
    }
}

fn client(connector: Connector, only_http2: bool) -> HttpClient {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits::IDLE_TO_SERVER_FOR)
        .pool_max_idle_per_host(limits::IDLE_TO_SERVER)
        .http1_max_buf_size(limits::CONNECTION_BUFFER)
        .http2_keep_alive_interval(limits::KEEPALIVE)
        .http2_keep_alive_timeout(limits::PING_ANSWER)
        .http2_max_send_buf_size(limits::SEND_BUFFER)
        .http2_only(only_http2);
    builder.build(connector)
}
