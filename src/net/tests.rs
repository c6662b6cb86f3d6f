//! The client and the server of this module against each other and against hand-written peers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::body::BoxError;
use super::serve::Surplus;
use super::*;

const LIMITS: PoolLimits = PoolLimits {
    connections_max: 4,
    idle_max: Duration::from_secs(4),
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(10),
};

fn client(net: &PipeNet, limits: PoolLimits) -> Client {
    Client::new(Dialer::pipes(net.clone()), limits)
}

fn network() -> Client {
    Client::new(Dialer::network(None), LIMITS)
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url).unwrap().0
}

fn at(address: SocketAddr) -> Endpoint {
    endpoint(&format!("http://{address}"))
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::Empty).unwrap()
}

fn put(length: Option<u64>, pieces: Vec<Result<&'static str, &'static str>>) -> Request<Body> {
    let pieces = futures::stream::iter(pieces).then(|piece| async move {
        // Lets the connection send what it has.
        tokio::task::yield_now().await;
        piece.map(Bytes::from).map_err(BoxError::from)
    });
    Request::put("/").body(Body::Stream { length, stream: Box::pin(pieces) }).unwrap()
}

/// Answers with method, path and body; `/panic`, `/panic-at-once`, `/slow`, `/busy` and `/big` do what they say.
fn echo(request: Request<Incoming>, _: PeerInfo) -> impl Future<Output = Response<Body>> + Send {
    assert_ne!(request.uri().path(), "/panic-at-once", "as asked, before there is a future");
    echoed(request)
}

async fn echoed(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/panic" => panic!("as asked"),
        "/busy" => loop {
            // Never waits, and so uses up what its task may do in one turn.
            tokio::task::coop::consume_budget().await;
        },
        "/slow" => tokio::time::sleep(Duration::from_secs(3)).await,
        "/big" => return Response::new(Bytes::from(vec![7; 1 << 20]).into()),
        _ => {}
    }
    let Ok(body) = body.collect().await else {
        return Response::builder().status(StatusCode::BAD_REQUEST).body(Body::Empty).unwrap();
    };
    let body = body.to_bytes();
    let host = head.headers.get(header::HOST).map_or("", |host| host.to_str().unwrap());
    let text = format!("{} {} {host} {}", head.method, head.uri, String::from_utf8_lossy(&body));
    Response::new(Bytes::from(text).into())
}

fn start(net: &PipeNet, name: &str, limits: ServeLimits) -> (ShutdownTrigger, Arc<ListenerStats>, JoinHandle<()>) {
    let listener = Listener::from_pipe(net.listen(name));
    let (trigger, shutdown) = Shutdown::new();
    let stats = listener.stats();
    (trigger, stats, tokio::spawn(serve(listener, limits, echo, shutdown)))
}

async fn text(answer: Response<PooledBody>) -> String {
    String::from_utf8(answer.into_body().collect(1 << 21).await.unwrap().into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn connections_are_reused_and_bounded() {
    let net = PipeNet::new();
    let (_trigger, stats, _server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, PoolLimits { connections_max: 2, ..LIMITS });
    let store = endpoint("http://store");
    for _ in 0..3 {
        assert_eq!(
            text(client.send(&store, get("/a//b/./%2F?x=y")).await.unwrap()).await,
            "GET /a//b/./%2F?x=y store "
        );
    }
    assert_eq!(client.stats(), ClientStats { open: 1, idle: 1, dials: 1, reused: 2, ..ClientStats::default() });

    let slow = (0..6).map(|_| async { text(client.send(&store, get("/slow")).await.unwrap()).await });
    let begun = tokio::time::Instant::now();
    futures::future::join_all(slow).await;
    assert_eq!(begun.elapsed().as_secs(), 9, "two at a time");
    assert_eq!((client.stats().open, client.stats().waiting), (2, 0));
    assert_eq!(stats.open.load(Ordering::Relaxed), 2);

    tokio::time::sleep(Duration::from_secs(5)).await;
    text(client.send(&store, get("/")).await.unwrap()).await;
    assert_eq!(client.stats().dials, 3, "idle for too long");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_goes_away_leaves_its_place() {
    let net = PipeNet::new();
    let (_trigger, _, _server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, PoolLimits { connections_max: 1, ..LIMITS });
    let store = endpoint("http://store");
    let held = client.send(&store, get("/big")).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_secs(1), client.send(&store, get("/"))).await;
    assert!(waits.is_err());
    drop(held);
    text(client.send(&store, get("/")).await.unwrap()).await;
    assert_eq!(client.stats().dials, 2, "a large unread body costs its connection");
}

#[tokio::test(start_paused = true)]
async fn a_small_unread_body_is_drained() {
    let net = PipeNet::new();
    let (_trigger, _, _server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, LIMITS);
    let store = endpoint("http://store");
    for _ in 0..3 {
        drop(client.send(&store, get("/")).await.unwrap());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(client.stats().dials, 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_name_is_refused_before_sending() {
    let error = client(&PipeNet::new(), LIMITS).send(&endpoint("http://nobody"), get("/")).await.unwrap_err();
    assert!(error.not_sent && !error.timed_out);
}

/// Reads a request head from a raw peer.
async fn head(io: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_streaming_body_included() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = at(listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        head(&mut first).await;
        first.write_all(OK).await.unwrap();
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        head(&mut second).await;
        let mut body = [0; 5];
        second.read_exact(&mut body).await.unwrap();
        second.write_all(OK).await.unwrap();
        body
    });
    let client = network();
    text(client.send(&store, get("/")).await.unwrap()).await;
    // Lets the connection's end arrive or not: both ways have to work.
    tokio::task::yield_now().await;
    let answer = client.send(&store, put(Some(5), vec![Ok("he"), Ok("llo")])).await;
    match answer {
        Ok(answer) => {
            text(answer).await;
            assert_eq!(&server.await.unwrap(), b"hello");
        }
        Err(error) => assert!(!error.not_sent && error.reused, "{error}"),
    }
}

#[tokio::test]
async fn an_early_answer_is_returned_and_the_rest_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = at(listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.unwrap();
        head(&mut io).await;
        io.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
        let mut rest = Vec::new();
        let _ = io.read_to_end(&mut rest).await;
        rest.len()
    });
    let client = network();
    let endless = futures::stream::once(async { Ok(Bytes::from_static(b"x")) }).chain(futures::stream::pending());
    let request = Request::put("/").body(Body::Stream { length: Some(1 << 40), stream: Box::pin(endless) }).unwrap();
    let answer = client.send(&store, request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(answer).await, "no");
    assert!(server.await.unwrap() <= 1, "the connection was closed");
    assert_eq!(client.stats().idle, 0);
}

#[tokio::test]
async fn a_bad_request_body_aborts_the_connection() {
    let too_long = put(Some(3), vec![Ok("ab"), Ok("cd")]);
    let too_short = put(Some(3), vec![Ok("ab")]);
    let failing = put(Some(3), vec![Ok("ab"), Err("source broke")]);
    let failing_chunked = put(None, vec![Ok("ab"), Err("source broke")]);
    for (name, request) in
        [("too long", too_long), ("too short", too_short), ("failing", failing), ("failing chunked", failing_chunked)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = at(listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut io, _) = listener.accept().await.unwrap();
            let _ = head(&mut io).await;
            let mut rest = Vec::new();
            let _ = io.read_to_end(&mut rest).await;
            rest
        });
        let error = network().send(&store, request).await.unwrap_err();
        assert!(error.body_failed && !error.not_sent && !error.timed_out, "{name}: {error}");
        let seen = server.await.unwrap();
        assert!(seen.len() < 3 || !seen.ends_with(b"0\r\n\r\n"), "{name}: the server took the body for complete");
    }
}

#[tokio::test]
async fn our_server_sees_an_aborted_body_as_an_error() {
    let failures = Arc::new(AtomicUsize::new(0));
    let seen = failures.clone();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
    let store = at(listener.local_addr().unwrap());
    let handler = move |request: Request<Incoming>, _| {
        let seen = seen.clone();
        async move {
            if request.into_body().collect().await.is_err() {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            Response::new(Body::Empty)
        }
    };
    let (trigger, shutdown) = Shutdown::new();
    let limits = ServeLimits { drain_delay: Duration::ZERO, ..ServeLimits::default() };
    let server = tokio::spawn(serve(listener, limits, handler, shutdown));
    let client = network();
    client.send(&store, put(Some(9), vec![Ok("ab"), Err("source broke")])).await.unwrap_err();
    client.send(&store, put(None, vec![Ok("ab"), Err("source broke")])).await.unwrap_err();
    trigger.drain();
    server.await.unwrap();
    assert_eq!(failures.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_truncated_answer_is_an_error() {
    let cut: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ];
    for bytes in cut {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = at(listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut io, _) = listener.accept().await.unwrap();
            head(&mut io).await;
            io.write_all(bytes).await.unwrap();
        });
        let answer = network().send(&store, get("/")).await.unwrap();
        let error = answer.into_body().collect(100).await.unwrap_err();
        assert!(!error.timed_out, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_times_out_at_the_head_and_in_the_body_but_a_slow_source_does_not() {
    let net = PipeNet::new();
    let mut pipe = net.listen("store:80");
    tokio::spawn(async move {
        let mut open = Vec::new();
        for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
            let mut io = pipe.accept().await;
            head(&mut io).await;
            io.write_all(answer).await.unwrap();
            open.push(io);
        }
        let mut io = pipe.accept().await;
        let request = head(&mut io).await;
        io.read_exact(&mut [0; 2]).await.unwrap();
        io.write_all(OK).await.unwrap();
        open.push(io);
        std::future::pending::<()>().await;
        drop(request);
    });
    let client = client(&net, LIMITS);
    let store = endpoint("http://store");
    let error = client.send(&store, get("/")).await.unwrap_err();
    assert!(error.timed_out && !error.not_sent, "{error}");
    let mut body = client.send(&store, get("/")).await.unwrap().into_body();
    assert_eq!(body.next().await.unwrap().unwrap(), "half");
    assert!(body.next().await.unwrap().unwrap_err().timed_out);
    assert!(body.next().await.is_none());

    let slow = futures::stream::iter(["a", "b"]).then(|piece| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(Bytes::from(piece))
    });
    let request = Request::put("/").body(Body::Stream { length: Some(2), stream: Box::pin(slow) }).unwrap();
    assert_eq!(text(client.send(&store, request).await.unwrap()).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_500_and_costs_one_connection() {
    let net = PipeNet::new();
    let (_trigger, stats, _server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, LIMITS);
    let store = endpoint("http://store");
    for path in ["/panic", "/panic-at-once"] {
        let answer = client.send(&store, get(path)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONNECTION], "close");
        drop(answer);
        assert_eq!(text(client.send(&store, get("/")).await.unwrap()).await, "GET / store ");
    }
    assert_eq!((stats.panics.load(Ordering::Relaxed), client.stats().dials), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn drain_finishes_what_is_in_flight_and_closes_the_entrance() {
    let net = PipeNet::new();
    let (trigger, _, server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, LIMITS);
    let store = endpoint("http://store");
    text(client.send(&store, get("/")).await.unwrap()).await;
    trigger.drain();
    let answer = client.send(&store, get("/")).await.expect("still open during the delay, on an idle connection too");
    assert_eq!(answer.headers()[header::CONNECTION], "close");
    text(answer).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let slow = client.send(&store, get("/slow")).await.expect("begun before the entrance closed, finished after");
    assert_eq!(text(slow).await, "GET /slow store ");
    server.await.unwrap();
    assert!(client.send(&store, get("/")).await.unwrap_err().not_sent);
}

#[tokio::test(start_paused = true)]
async fn drain_ends_at_its_deadline_and_stop_cuts_at_once() {
    let net = PipeNet::new();
    let limits = ServeLimits { drain_deadline: Duration::from_secs(1), ..ServeLimits::default() };
    for stop in [false, true] {
        let (trigger, stats, server) = start(&net, "store:80", limits);
        let mut io = net.connect("store:80").unwrap();
        io.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(stats.open.load(Ordering::Relaxed), 1);
        let begun = tokio::time::Instant::now();
        if stop {
            trigger.stop();
        } else {
            trigger.drain();
        }
        server.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), if stop { 0 } else { 6 });
        assert_eq!(stats.open.load(Ordering::Relaxed), 0);
    }
}

/// The sides have threads of their own: the busy one would leave the others nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_connection_that_never_waits_is_cut_too() {
    let net = PipeNet::new();
    let (trigger, stats, server) = start(&net, "store:80", ServeLimits::default());
    let mut io = net.connect("store:80").unwrap();
    io.write_all(b"GET /busy HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while stats.requests.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    trigger.stop();
    tokio::time::timeout(Duration::from_secs(20), server).await.expect("it is cut").unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_from_hand_to_hand() {
    let net = PipeNet::new();
    let mut pipe = net.listen("store:80");
    let (piece, mut pieces) = tokio::sync::mpsc::channel::<&str>(1);
    tokio::spawn(async move {
        let mut io = pipe.accept().await;
        for answers in 0..2 {
            head(&mut io).await;
            io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n").await.unwrap();
            for _ in 0..3 - answers {
                io.write_all(pieces.recv().await.unwrap().as_bytes()).await.unwrap();
            }
        }
        std::future::pending::<()>().await;
    });
    let client = client(&net, LIMITS);
    let store = endpoint("http://store");
    let mut body = client.send(&store, get("/")).await.unwrap().into_body();
    for expected in ["a", "b", "c"] {
        // Each waits before there is something to read, in a task that is not the one before.
        let read = tokio::spawn(async move { (body.next().await.unwrap().unwrap(), body) });
        tokio::time::sleep(Duration::from_millis(10)).await;
        piece.send(expected).await.unwrap();
        let got;
        (got, body) = read.await.unwrap();
        assert_eq!(got, expected);
    }
    // And the request after it, whose body nobody has waited for when it comes.
    let body = client.send(&store, get("/")).await.unwrap().into_body();
    piece.send("de").await.unwrap();
    piece.send("f").await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(tokio::spawn(body.collect(9)).await.unwrap().unwrap(), "def");
    assert_eq!(client.stats(), ClientStats { open: 1, idle: 1, dials: 1, reused: 1, ..ClientStats::default() });
}

#[tokio::test(start_paused = true)]
async fn slow_heads_are_cut_and_idle_connections_live_longer() {
    let net = PipeNet::new();
    let (_trigger, stats, _server) = start(&net, "store:80", ServeLimits::default());
    let closed_after = |io: tokio::io::DuplexStream| async move {
        let (mut read, _write) = tokio::io::split(io);
        let begun = tokio::time::Instant::now();
        let _ = read.read_to_end(&mut Vec::new()).await;
        begun.elapsed().as_secs()
    };
    let mut silent = net.connect("store:80").unwrap();
    silent.write_all(b"GET / HT").await.unwrap();
    assert_eq!(closed_after(silent).await, 10);
    let mut idle = net.connect("store:80").unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert_eq!(closed_after(idle).await, 120);
    let mut slow = net.connect("store:80").unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(15)).await;
    slow.write_all(b"GET").await.unwrap();
    let seconds = closed_after(slow).await;
    assert!((10..=20).contains(&seconds), "{seconds}");
    // A client that takes nothing of a large answer.
    let mut stalled = net.connect("store:80").unwrap();
    stalled.write_all(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(150)).await;
    assert_eq!(stats.open.load(Ordering::Relaxed), 0);
    assert_eq!(stats.timeouts.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn large_heads_are_refused() {
    let net = PipeNet::new();
    let (_trigger, _, _server) = start(&net, "store:80", ServeLimits::default());
    let client = client(&net, LIMITS);
    let request = |target: usize, headers: usize, bytes: usize| {
        let target = format!("/{}", "t".repeat(target - 1));
        let request = Request::get(target);
        let filled =
            (0..headers).fold(request, |request, n| request.header(format!("x-{n:03}"), "v".repeat(bytes - 5)));
        filled.body(Body::Empty).unwrap()
    };
    let store = endpoint("http://store");
    for (name, request, status) in [
        ("much, in several lines", request(1, 4, 7_500), StatusCode::OK),
        ("too much", request(1, 5, 7_500), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        ("as long as a line may be", request(8_192, 1, 8_192), StatusCode::OK),
        ("a longer line", request(1, 1, 8_193), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        ("a longer target", request(8_193, 0, 5), StatusCode::URI_TOO_LONG),
        ("many", request(1, 90, 20), StatusCode::OK),
        ("too many", request(1, 101, 20), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        assert_eq!(client.send(&store, request).await.unwrap().status(), status, "{name}");
    }
}

/// Answers a request for which there is room, and says so of one for which there is none.
async fn room_or_none(request: Request<Incoming>, _: PeerInfo) -> Response<Body> {
    let surplus = request.extensions().get::<Surplus>().is_some();
    let status = if surplus { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Response::builder().status(status).body(Body::Empty).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_connection_too_many_is_told_so_and_idle_ones_make_room() {
    let net = PipeNet::new();
    let limits = ServeLimits { connections_max: 16, ..ServeLimits::default() };
    let listener = Listener::from_pipe(net.listen("store:80"));
    let stats = listener.stats();
    let (_trigger, shutdown) = Shutdown::new();
    tokio::spawn(serve(listener, limits, room_or_none, shutdown));
    let ask = async || {
        let mut io = net.connect("store:80").unwrap();
        io.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let answer = head(&mut io).await;
        (io, answer)
    };
    let mut idle = Vec::new();
    for n in 0..16 {
        let (io, answer) = ask().await;
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("connection: close"), "{n}: {answer}");
        idle.push(io);
    }
    for _ in 0..200 {
        let (mut io, answer) = ask().await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("connection: close"), "{answer}");
        assert_eq!(io.read(&mut [0]).await.unwrap(), 0, "closed");
    }
    // One that says nothing is not waited for as long as others.
    let mut silent = net.connect("store:80").unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(begun.elapsed() <= Duration::from_secs(3), "{:?}", begun.elapsed());
    // Idle ones would have 120 s if there were room.
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(stats.open.load(Ordering::Relaxed) < 16);
    assert!(ask().await.1.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_entrance_closed_is_answered() {
    let net = PipeNet::new();
    let limits = ServeLimits { drain_delay: Duration::ZERO, ..ServeLimits::default() };
    let (trigger, _, server) = start(&net, "store:80", limits);
    tokio::task::yield_now().await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut io = net.connect("store:80").unwrap();
        io.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        waiting.push(io);
    }
    trigger.drain();
    for mut io in waiting {
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_falls_silent_in_its_body_is_noticed() {
    let net = PipeNet::new();
    let handler = |request: Request<Incoming>, _| async move {
        let mut body = RequestBody::new(request.into_body(), Duration::from_secs(30));
        assert_eq!(body.length(), Some(9));
        assert_eq!(body.next().await.unwrap().unwrap(), "half");
        let error = body.next().await.unwrap().unwrap_err();
        Response::new(Bytes::from(format!("{}", error.timed_out)).into())
    };
    let listener = Listener::from_pipe(net.listen("store:80"));
    tokio::spawn(serve(listener, ServeLimits::default(), handler, Shutdown::never()));
    let mut io = net.connect("store:80").unwrap();
    io.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\ntrue"), "{answer}");
}

/// A connection that rests gives its buffers back, and nobody notices.
#[tokio::test]
async fn a_connection_goes_on_after_a_rest() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
    let (address, stats) = (listener.local_addr().unwrap(), listener.stats());
    let (trigger, shutdown) = Shutdown::new();
    let limits =
        ServeLimits { idle_timeout: Duration::from_secs(3), drain_delay: Duration::ZERO, ..ServeLimits::default() };
    let server = tokio::spawn(serve(listener, limits, echo, shutdown));
    let (mut one, mut other) = (
        tokio::net::TcpStream::connect(address).await.unwrap(),
        tokio::net::TcpStream::connect(address).await.unwrap(),
    );
    let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let put = b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab";
    for request in [&get[..], put, get, get] {
        one.write_all(request).await.unwrap();
        assert!(head(&mut one).await.starts_with("HTTP/1.1 200 OK"));
        let mut body = [0; 64];
        assert!(one.read(&mut body).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(1_300)).await;
    }
    // A head in two pieces, the rest between the requests.
    one.write_all(&get[..9]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    one.write_all(&get[9..]).await.unwrap();
    assert!(head(&mut one).await.starts_with("HTTP/1.1 200 OK"));
    other.write_all(get).await.unwrap();
    head(&mut other).await;
    let begun = std::time::Instant::now();
    other.read_to_end(&mut Vec::new()).await.unwrap();
    let rested = begun.elapsed();
    assert!((2..5).contains(&rested.as_secs()), "closed after {rested:?}");
    let mut last = tokio::net::TcpStream::connect(address).await.unwrap();
    last.write_all(get).await.unwrap();
    head(&mut last).await;
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    trigger.drain();
    server.await.unwrap();
    assert_eq!(stats.open.load(Ordering::Relaxed), 0);
}

/// What botocore makes of a second answer after such a one is another request's status.
#[tokio::test(start_paused = true)]
async fn whoever_expects_in_vain_begins_anew() {
    let net = PipeNet::new();
    let (_trigger, _, _server) = start(&net, "store:80", ServeLimits::default());
    for (request, first, closes) in [
        ("PUT / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 0\r\nhost: a\r\n\r\n", "200 OK", true),
        ("PUT / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\nhost: a\r\n\r\n", "100 Continue", false),
        ("PUT / HTTP/1.1\r\ncontent-length: 0\r\nhost: a\r\n\r\n", "200 OK", false),
    ] {
        let mut io = net.connect("store:80").unwrap();
        io.write_all(request.as_bytes()).await.unwrap();
        let answer = head(&mut io).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {first}")), "{answer}");
        assert_eq!(answer.contains("connection: close"), closes, "{request}");
    }
}

/// Requests on whose end two parsers could disagree (RFC 9112 sections 6 and 11.2): each is refused,
/// or read in the one way that the standard allows, and none lets a second request slip through.
#[tokio::test(start_paused = true)]
async fn requests_that_could_be_smuggled() {
    let hidden = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
    for (name, head, body) in [
        ("length and chunked", "content-length: 4\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
        ("two lengths", "content-length: 0\r\ncontent-length: 9\r\n", ""),
        ("unknown coding", "transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
        ("chunked not last", "transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("folded header", "transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        ("space before colon", "content-length : 4\r\n", ""),
        ("signed length", "content-length: +4\r\n", "0000"),
        ("bad chunk size", "transfer-encoding: chunked\r\n", "-1\r\n\r\n"),
    ] {
        let net = PipeNet::new();
        let (_trigger, stats, _server) = start(&net, "store:80", ServeLimits::default());
        let mut io = net.connect("store:80").unwrap();
        let request = format!("PUT /open HTTP/1.1\r\nhost: a\r\n{head}\r\n{body}{hidden}");
        io.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let ended = tokio::time::timeout(Duration::from_secs(1), io.read_to_string(&mut answer)).await;
        assert!(ended.is_ok_and(|read| read.is_ok()), "{name}: the connection stays open");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: {answer}");
        let read_as_chunked = name == "length and chunked" && answer.ends_with("PUT /open a ");
        assert!(answer.starts_with("HTTP/1.1 400 ") || read_as_chunked, "{name}: {answer}");
        assert!(stats.requests.load(Ordering::Relaxed) <= 1, "{name}");
    }
}

#[tokio::test]
async fn tls_with_a_private_ca_and_a_certificate_changed_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let issue = |tag: &str| {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path("cert.pem"), issued.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), issued.signing_key.serialize_pem()).unwrap();
        std::fs::copy(path("cert.pem"), path(tag)).unwrap();
    };
    let trusting = |tag: &str| {
        let trust = tls::Trust { roots: tls::Roots::None, private_ca: Some(path(tag)) };
        Client::new(Dialer::network(Some(tls::client_config(&trust).unwrap())), LIMITS)
    };
    issue("first");
    let files = tls::ServerTls::load(&path("cert.pem"), &path("key.pem")).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap().with_tls(files.current());
    let address = listener.local_addr().unwrap();
    let store = endpoint(&format!("https://localhost:{}", address.port()));
    tokio::spawn(serve(listener, ServeLimits::default(), echo, Shutdown::never()));
    // A peer that never shakes hands keeps nobody waiting.
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();

    let first = trusting("first");
    let answer =
        first.send(&store, Request::builder().method(Method::PUT).uri("/k").body(Bytes::from("b").into()).unwrap());
    assert_eq!(text(answer.await.unwrap()).await, format!("PUT /k localhost:{} b", address.port()));

    std::fs::write(path("key.pem"), "no key").unwrap();
    files.reload().unwrap_err();
    text(trusting("first").send(&store, get("/")).await.unwrap()).await;

    issue("second");
    files.reload().unwrap();
    assert!(trusting("first").send(&store, get("/")).await.unwrap_err().not_sent);
    text(trusting("second").send(&store, get("/")).await.unwrap()).await;
    text(first.send(&store, get("/")).await.expect("open connections go on")).await;
}

#[tokio::test]
async fn https_without_settings_is_an_error() {
    let error = network().send(&endpoint("https://127.0.0.1:1"), get("/")).await.unwrap_err();
    assert!(error.not_sent, "{error}");
}

/// CPU cost of a request over the pool; run by hand with `--ignored --nocapture`, in release for figures.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_request() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let store = at(listener.local_addr().unwrap());
        let body = Bytes::from(vec![1; 4096]);
        let handler = move |_: Request<Incoming>, _| {
            let body = body.clone();
            async move { Response::new(Body::Full(body)) }
        };
        tokio::spawn(serve(listener, ServeLimits::default(), handler, Shutdown::never()));
        let client = Client::new(Dialer::network(None), PoolLimits { connections_max: 16, ..LIMITS });
        const REQUESTS: u32 = 200_000;
        let load = |requests: u32| {
            let (client, store) = (client.clone(), store.clone());
            async move {
                for _ in 0..requests / 16 {
                    client.send(&store, get("/k")).await.unwrap().into_body().collect(1 << 20).await.unwrap();
                }
            }
        };
        let tasks =
            |requests| futures::future::join_all((0..16).map(|_| tokio::spawn(load(requests))).collect::<Vec<_>>());
        tasks(10_000).await;
        let begun = std::time::Instant::now();
        tasks(REQUESTS).await;
        println!("pool and server: {:?} a request", begun.elapsed() / REQUESTS);
        let begun = std::time::Instant::now();
        let raw = (0..16).map(|_| tokio::spawn(raw_load(store.clone(), REQUESTS / 16))).collect::<Vec<_>>();
        futures::future::join_all(raw).await;
        println!("raw hyper and server: {:?} a request", begun.elapsed() / REQUESTS);
    });
}

async fn raw_load(store: Endpoint, requests: u32) {
    let tcp = tokio::net::TcpStream::connect((store.host.as_str(), store.port)).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let io = hyper_util::rt::TokioIo::new(tcp);
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, Body>(io).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..requests {
        let request = Request::get("/k").header(header::HOST, store.authority()).body(Body::Empty).unwrap();
        sender.ready().await.unwrap();
        sender.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    }
}
