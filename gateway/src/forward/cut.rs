//! A connection to the server behind that can be cut from outside.
//!
//! hyper's client notices that nobody reads an answer any more when its next part comes. A stream of events may be
//! silent for hours, and all that time the server behind would work for a client that has left.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// Ends a connection. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_cut: AtomicBool,
    /// Who reads it.
    reader: Mutex<Option<Waker>>,
}

impl Cut {
    pub(super) fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Release);
        let reader = self.0.reader.lock();
        if let Some(reader) = reader.unwrap_or_else(PoisonError::into_inner).take() {
            reader.wake();
        }
    }

    fn is_cut(&self) -> bool {
        self.0.is_cut.load(Ordering::Acquire)
    }

    /// Before a read: is it over, and if not, who has to know when it is?
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        if !self.is_cut() {
            let mut reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
            if !reader
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()))
            {
                *reader = Some(cx.waker().clone());
            }
        }
        // Again: it may have been cut since.
        match self.is_cut() {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }
}

/// A connection with its [`Cut`].
#[derive(Debug)]
pub(super) struct Cuttable<T> {
    stream: T,
    cut: Cut,
}

impl<T> Cuttable<T> {
    pub(super) fn new(stream: T) -> Self {
        let cut = Cut::default();
        Self { stream, cut }
    }
}

/// Every answer on it carries the [`Cut`] in its extensions.
impl<T: Connection> Connection for Cuttable<T> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.cut.clone())
    }
}

impl<T: Read + Unpin> Read for Cuttable<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: Write + Unpin> Write for Cuttable<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
