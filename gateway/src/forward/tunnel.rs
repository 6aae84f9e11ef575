//! A connection that both sides agreed to use for WebSocket: bytes, both ways.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{io::copy_bidirectional, time::timeout};

use super::{failure::Failure, failure::reason, service::Permit};
use crate::{answer::AnswerBody, headers::end_hop_of_answer, inbound::Place, shutdown::Phases};

/// The fields that ask for WebSocket, anew: the client's ended at the door.
pub(super) fn ask(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

/// Whether the server agreed to what was asked for.
fn is_agreed(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(header::UPGRADE).iter();
    let protocol = protocols.next();
    protocol.is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none()
}

/// Opens the tunnel: hands on the server's 101, and what comes after it until one side ends, the age is reached or the
/// gateway stops.
pub(super) fn open(
    mut answer: Response<Incoming>,
    client: Option<(OnUpgrade, Place)>,
    age: Duration,
    mut phases: Phases,
    permit: Permit,
) -> Result<Response<AnswerBody>, Failure> {
    let Some((client, place)) = client.filter(|_| is_agreed(answer.headers())) else {
        return Err(Failure::StrangeUpgrade);
    };
    let server = hyper::upgrade::on(&mut answer);
    tokio::spawn(async move {
        let _held = (permit, place);
        let both = async {
            let (client, server) = tokio::try_join!(client, server)?;
            let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
            // An end of one side ends the tunnel for the other, half closed or not.
            let copied = copy_bidirectional(&mut client, &mut server).await;
            if let Err(error) = copied {
                tracing::debug!(why = reason(&error), "a tunnel broke");
            }
            Ok::<_, hyper::Error>(())
        };
        tokio::select! {
            _ = timeout(age, both) => {}
            () = phases.ending() => {}
        }
    });
    let (mut parts, _) = answer.into_parts();
    end_hop_of_answer(&mut parts.headers);
    ask(&mut parts.headers);
    let mut switched = Response::new(AnswerBody::default());
    *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *switched.headers_mut() = parts.headers;
    Ok(switched)
}
