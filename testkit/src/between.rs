//! What lies between a store and its server, and fails.

use std::sync::Arc;

use tokio::{
    io,
    net::{TcpListener, TcpStream},
    sync::{Mutex, watch},
    task::JoinSet,
};

/// Between a store and its server, to cut connections or to lose the server's answers.
pub struct Between {
    pub port: u16,
    connections: Arc<Mutex<JoinSet<()>>>,
    losses: watch::Sender<u32>,
}

impl Between {
    pub async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let (losses, lossy) = watch::channel(0);
        let kept = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect(("127.0.0.1", to)).await;
                if let Ok(far) = far {
                    let connection = Self::carry(near, far, lossy.clone());
                    kept.lock().await.spawn(connection);
                }
            }
        });
        Self {
            port,
            connections,
            losses,
        }
    }

    async fn carry(near: TcpStream, far: TcpStream, mut lossy: watch::Receiver<u32>) {
        let (mut asked, mut told) = near.into_split();
        let (mut answered, mut ask) = far.into_split();
        lossy.mark_unchanged();
        let answers = async {
            tokio::select! {
                _ = io::copy(&mut answered, &mut told) => return,
                _ = lossy.changed() => {}
            }
            let _ = io::copy(&mut answered, &mut io::sink()).await;
        };
        tokio::select! {
            _ = io::copy(&mut asked, &mut ask) => {}
            () = answers => {}
        }
    }

    pub async fn cut(&self) {
        self.connections.lock().await.shutdown().await;
    }

    /// What is connected now stays so, and no answer comes back any more.
    pub fn lose_answers(&self) {
        self.losses.send_modify(|times| *times += 1);
    }
}
