//! Connections: how many there may be, and how long each may do nothing.

use std::{
    future::pending,
    net::IpAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto,
};
use ipnet::IpNet;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    activity::Activity,
    app::App,
    listener::{Listener, Stream, is_of_one_connection},
};
use crate::{headers::Peer, inbound::Place, limits, settings::LimitSettings, shutdown::Phases};

/// Accepts connections until the gateway stops, then waits for their end; within a bound, as `phases` says.
pub(crate) async fn serve(
    listener: Listener,
    app: App,
    limits: Arc<LimitSettings>,
    trusted: Arc<[IpNet]>,
    mut phases: Phases,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    // Asks every open connection to make room.
    let (room, _) = watch::channel(());
    let server = Arc::new(server(&limits));
    let seen = phases.clone();
    let accepting = accept(&listener, &places, &room, |stream, address, place| {
        let peer = Peer {
            address,
            is_trusted: match address {
                Some(address) => trusted.iter().any(|net| net.contains(&address)),
                None => true,
            },
        };
        let (app, limits, server) = (app.clone(), Arc::clone(&limits), Arc::clone(&server));
        let (room, phases) = (room.subscribe(), seen.clone());
        tokio::spawn(converse(
            stream, app, peer, limits, server, room, phases, place,
        ));
    });
    tokio::select! {
        never = accepting => never,
        () = phases.stopping() => {}
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    tokio::select! {
        _ = places.acquire_many(all) => {}
        () = phases.over() => {}
    }
}

async fn accept(
    listener: &Listener,
    places: &Arc<Semaphore>,
    room: &watch::Sender<()>,
    begin: impl Fn(Stream, Option<IpAddr>, Place),
) {
    loop {
        let accepted = listener.accept().await;
        if accepted.as_ref().is_err_and(is_of_one_connection) {
            continue;
        }
        if accepted.is_err() || places.available_permits() == 0 {
            // Full. Those with a request at work go on; the others go now.
            room.send_replace(());
        }
        let Ok((stream, address)) = accepted else {
            sleep(limits::PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return;
        };
        begin(stream, address, Place::new(place));
    }
}

fn server(limits: &LimitSettings) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_headers(limits.header_lines)
        .max_buf_size(limits.header.max(MIN_BUFFER));
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(limits.header).unwrap_or(u32::MAX))
        .max_send_buf_size(limits::SEND_BUFFER)
        .keep_alive_interval(limits::KEEPALIVE)
        .keep_alive_timeout(limits::PING_ANSWER);
    server
}

/// hyper takes no less.
const MIN_BUFFER: usize = 8192;

#[expect(clippy::too_many_arguments, reason = "all that a connection has")]
async fn converse(
    stream: Stream,
    app: App,
    peer: Peer,
    limits: Arc<LimitSettings>,
    server: Arc<auto::Builder<TokioExecutor>>,
    mut room: watch::Receiver<()>,
    mut phases: Phases,
    place: Place,
) {
    let activity = Activity::new();
    let came = Instant::now();
    let service = {
        let activity = Arc::clone(&activity);
        let place = place.clone();
        service_fn(move |request| {
            let open = activity.begin();
            app.clone().answer(request, peer, place.clone(), open)
        })
    };
    let mut connection = pin!(server.serve_connection_with_upgrades(stream, service));
    let mut end = pin!(None);
    // Until the listener is gone.
    let mut may_make_room = true;
    loop {
        let next = next_look(&activity, came, &limits);
        let ends = end.as_mut();
        tokio::select! {
            _ = connection.as_mut() => return,
            () = at(ends) => return,
            () = sleep_until(next) => {
                if activity.is_stalled(limits.stall) {
                    return;
                }
                let Some(quiet) = activity.quiet_since() else { continue };
                if !activity.has_asked() {
                    if came.elapsed() >= limits.header_time {
                        return;
                    }
                } else if quiet.elapsed() >= limits.idle && end.is_none() {
                    connection.as_mut().graceful_shutdown();
                    end.set(Some(Box::pin(sleep(GOODBYE))));
                }
            }
            changed = room.changed(), if may_make_room => {
                may_make_room = changed.is_ok();
                if changed.is_err() || activity.quiet_since().is_none() || end.is_some() {
                    continue;
                }
                if !activity.has_asked() {
                    // A request comes a round trip after its connection.
                    let asks = sleep_until(came + limits::MOMENT);
                    tokio::select! {
                        _ = connection.as_mut() => return,
                        () = asks => {}
                    }
                    if !activity.has_asked() {
                        return;
                    }
                }
                connection.as_mut().graceful_shutdown();
                end.set(Some(Box::pin(sleep(GOODBYE))));
            }
            () = phases.stopping() => break,
        }
    }
    // hyper would keep waiting for a first request that has come in part.
    if !activity.has_asked() {
        return;
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = phases.over() => {}
    }
}

/// For a client to close its side too.
const GOODBYE: Duration = Duration::from_secs(5);

/// When something may be over time.
fn next_look(activity: &Activity, came: Instant, limits: &LimitSettings) -> Instant {
    let now = Instant::now();
    let look = match activity.quiet_since() {
        Some(_) if !activity.has_asked() => came + limits.header_time,
        Some(quiet) => quiet + limits.idle,
        None => now + limits.stall / 4,
    };
    look.max(now + SHORTEST)
}

/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(100);

async fn at(end: Pin<&mut Option<Pin<Box<tokio::time::Sleep>>>>) {
    match end.get_mut() {
        Some(end) => end.as_mut().await,
        None => pending().await,
    }
}
