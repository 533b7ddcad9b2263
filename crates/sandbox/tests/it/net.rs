//! Sockets of scripts, and where they may not go.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::rig::{Reply, Worker, login};

const CONNECT: &str = "
    const socket = require('net').connect(+configuration.PORT, configuration.HOST);
    const parts = [];
    socket.on('connect', () => socket.end('hello'));
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => callback(null, { user_id: 1, text: Buffer.concat(parts).toString() }));
    socket.on('error', callback);";

fn connect(host: &str, port: u16, egress: &Value) -> Reply {
    let mut worker = Worker::start();
    let settings = json!({"HOST": host, "PORT": port.to_string()});
    worker.load_with("login", &login(CONNECT), &settings, egress);
    worker.call("login")
}

/// A server that gives back what it got, once the other side has ended.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    port
}

#[test]
fn bytes_go_there_and_back() {
    for host in ["127.0.0.1", "localhost"] {
        let reply = connect(host, echo(), &Value::Null);
        assert_eq!(reply.value()["text"], "hello", "{host}");
    }
}

#[test]
fn a_closed_port_refuses_as_in_node() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let reply = connect("127.0.0.1", port, &Value::Null);
    let error = &reply.result["error"];
    assert_eq!(error["code"], "ECONNREFUSED");
    assert_eq!(
        error["message"],
        format!("connect ECONNREFUSED 127.0.0.1:{port}")
    );
}

#[test]
fn an_unknown_name_is_not_found() {
    let reply = connect("nowhere.invalid", 1, &Value::Null);
    let error = &reply.result["error"];
    assert_eq!(error["code"], "ENOTFOUND");
    assert_eq!(error["message"], "getaddrinfo ENOTFOUND nowhere.invalid");
}

fn refused(host: &str, port: u16, egress: &Value) -> String {
    let reply = connect(host, port, egress);
    assert_eq!(reply.result["error"]["code"], "EACCES", "{}", reply.result);
    reply.error().1.to_owned()
}

#[test]
fn metadata_addresses_are_refused_however_they_are_written() {
    for host in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"] {
        let message = refused(host, 80, &Value::Null);
        assert!(
            message.contains("egress policy: link-local and metadata"),
            "{message}"
        );
    }
}

#[test]
fn the_servers_own_database_is_refused_by_address_and_by_name() {
    let port = echo();
    let egress = json!({"allow": [], "own_database": [format!("127.0.0.1:{port}"), format!("[::1]:{port}")]});
    for host in ["127.0.0.1", "localhost"] {
        let message = refused(host, port, &egress);
        assert!(message.contains("the server's own database"), "{message}");
    }
}

#[test]
fn rules_refuse_all_else() {
    let port = echo();
    let egress = json!({"allow": ["db.example:5432"], "own_database": []});
    assert!(refused("localhost", port, &egress).contains("no rule allows it"));
    let egress = json!({"allow": [format!("localhost:{port}")], "own_database": []});
    assert_eq!(connect("localhost", port, &egress).value()["text"], "hello");
}

#[test]
fn a_large_answer_arrives_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&vec![b'x'; 5 << 20]).unwrap();
    });
    let mut worker = Worker::start();
    let body = "let size = 0;
        const socket = require('net').connect(+configuration.PORT, '127.0.0.1');
        socket.on('data', (part) => { size += part.length; });
        socket.on('end', () => callback(null, { user_id: size }));";
    worker.load_with(
        "login",
        &login(body),
        &json!({"PORT": port.to_string()}),
        &Value::Null,
    );
    assert_eq!(worker.call("login").value()["user_id"], 5 << 20);
}
