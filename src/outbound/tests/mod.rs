//! Names under a test's control, and servers of which some must never be reached.

mod documents;
mod guard;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    Networks, Outbound, WayOut,
    lookup::{Found, Lookup},
};

/// What a name leads to: the first time, the second time, and so on; the last answer stays.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashMap<String, Name>>>);

#[derive(Default)]
struct Name {
    answers: Vec<Vec<IpAddr>>,
    asked: usize,
}

impl Names {
    fn leads(self, name: &str, answers: &[&[&str]]) -> Self {
        let parsed = answers.iter().map(|addresses| {
            let addresses = addresses.iter();
            addresses.map(|text| text.parse().unwrap()).collect()
        });
        let answers = parsed.collect();
        let name = name.to_owned();
        self.0
            .lock()
            .unwrap()
            .insert(name, Name { answers, asked: 0 });
        self
    }

    fn asked(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).map_or(0, |it| it.asked)
    }
}

impl Lookup for Names {
    fn lookup(&self, name: &str) -> Found {
        let mut names = self.0.lock().unwrap();
        let found = match names.get_mut(name) {
            None => Err(io::Error::other("no such name")),
            Some(name) => {
                let last = name.answers.len() - 1;
                let answer = &name.answers[name.asked.min(last)];
                name.asked += 1;
                Ok(answer.iter().map(|ip| SocketAddr::new(*ip, 0)).collect())
            }
        };
        Box::pin(std::future::ready(found))
    }
}

/// Somebody inside, who must hear nothing.
struct Inside(TcpListener);

impl Inside {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// A connection waits here from the moment it is made, accepted or not.
    #[track_caller]
    fn heard_nothing(&self) {
        let accepted = self.0.accept();
        let error = accepted.expect_err("somebody came inside");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

/// A way out with these names, these networks open, and the test kit's root.
fn way_out(names: &Names, open: &[&str]) -> WayOut {
    let root = reqwest::Certificate::from_pem(testkit::https::ROOT.as_bytes()).unwrap();
    WayOut {
        customize: Some(Box::new(move |builder| {
            builder.tls_certs_only([root.clone()])
        })),
        open: Networks::parse(open.iter().copied()).unwrap(),
        timeout: Duration::from_secs(20),
        lookup: Arc::new(names.clone()),
        ..WayOut::default()
    }
}

fn outbound(names: &Names, open: &[&str]) -> Outbound {
    Outbound::new(&way_out(names, open)).unwrap()
}
