//! Bodies that try to say one call to us and another to the server behind.

/// A body, and the trick in it.
pub(super) struct Body {
    pub(super) trick: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// What may be called, and what is to be smuggled.
const HONEST: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed"}}"#;
const HIDDEN: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forbidden"}}"#;

/// All of them, the same in each run.
pub(super) fn all() -> Vec<Body> {
    let mut bodies = Vec::new();
    honest(&mut bodies);
    two_keys(&mut bodies);
    two_documents(&mut bodies);
    comments(&mut bodies);
    encodings(&mut bodies);
    bad_characters(&mut bodies);
    types(&mut bodies);
    batches(&mut bodies);
    escapes(&mut bodies);
    values(&mut bodies);
    depths(&mut bodies);
    unfinished(&mut bodies);
    let mut seed = 0x9e37_79b9_7f4a_7c15;
    for round in 0..2 {
        for at in 0..bodies.len() {
            let bytes = changed(&bodies[at].bytes, &mut seed);
            if bytes.len() < 4096 && (round == 0 || at % 2 == 0) {
                bodies.push(Body {
                    trick: "bytes changed by chance",
                    bytes,
                });
            }
        }
    }
    bodies
}

fn add(bodies: &mut Vec<Body>, trick: &'static str, bytes: impl Into<Vec<u8>>) {
    bodies.push(Body {
        trick,
        bytes: bytes.into(),
    });
}

fn honest(bodies: &mut Vec<Body>) {
    for body in [
        HONEST,
        r#"{"method":"tools/list"}"#,
        r#"{"method":"tools/list","params":{"cursor":"c"},"id":"x"}"#,
        r#"{"method":"resources/read","params":{"uri":"file:///a%20b"},"id":1}"#,
        r#"{"method":"prompts/get","params":{"name":"p","arguments":{"name":"q"}},"id":1}"#,
        r#"{"params":{"_meta":{"method":"x"},"arguments":{"name":"forbidden"},"name":"allowed"},"method":"tools/call","id":1}"#,
        r#"{"id":1,"result":{"method":"tools/call","params":{"name":"forbidden"}}}"#,
        r#"{"id":1,"error":{"code":-1,"message":"m"}}"#,
        r#"{"method":"notifications/progress","params":{"progress":0.5e-1,"progressToken":"\u00e9"}}"#,
        "{\n  \"method\" : \"tools/call\",\r\n\t\"params\" : { \"name\" : \"größe😀\" }\n}\n",
        r#"{"method":"tools/call","params":{"name":"gr\u00f6\u00dfe\ud83d\ude00"}}"#,
        r#"{"m\u0065thod":"tools\/call","params":{"n\u0061me":"\u0061llowed"}}"#,
        r#"{"method":"tools/call","params":{"name":"allowed","arguments":{"n":12345678901234567890123,"f":1e400}}}"#,
    ] {
        add(bodies, "honest", body);
    }
}

/// What some reader may take for the key.
fn spellings(key: &str) -> Vec<String> {
    let first = key.as_bytes()[0];
    let (head, tail) = key.split_at(1);
    let mut all = vec![
        key.to_owned(),
        format!("\\u{first:04x}{tail}"),
        format!("\\u{first:04X}{tail}"),
        key.to_uppercase(),
        format!("{}{tail}", head.to_uppercase()),
        key.chars()
            .map(|char| format!("\\u{:04x}", u32::from(char)))
            .collect(),
        key.replace('s', "ſ"),
        key.replace('s', "\\u017f"),
        key.replace('k', "\u{212a}"),
        key.replace('i', "ı"),
        key.replace('i', "İ"),
        key.replace('m', "\u{ff4d}"),
        key.replace('a', "\u{430}"),
        key.replace('e', "e\u{301}"),
        format!("\\{head}{tail}"),
    ];
    for around in [
        " ", "\\u0000", "\\u0000x", "\0", "\\ud800", "\\udfff", "\\u200b", "\\ufeff", "\u{ad}",
        "\\n", "\t", "_", "-", ".", "[]", "\u{200d}", "\\u0008", "\\ufffe", "\u{307}", "$", ":",
    ] {
        all.push(format!("{key}{around}"));
        all.push(format!("{around}{key}"));
    }
    all.push(format!("{head}_{tail}"));
    all.push(format!("{head}\\u0000{tail}"));
    all.push(format!("{head}\\ud800{tail}"));
    all.push(format!("__{key}__"));
    all.push(format!("@{key}"));
    all
}

fn two_keys(bodies: &mut Vec<Body>) {
    for key in ["method", "params", "name"] {
        for spelling in spellings(key) {
            for quoted in [
                format!("\"{spelling}\""),
                format!("'{spelling}'"),
                spelling.clone(),
            ] {
                for is_first in [false, true] {
                    let other = format!("{quoted}:$");
                    let body = match key {
                        "method" => {
                            pair(
                                r#""method":"tools/list""#,
                                &other.replace('$', r#""tools/call""#),
                                is_first,
                            ) + r#","params":{"name":"forbidden"}"#
                        }
                        "params" => {
                            r#""method":"tools/call","#.to_owned()
                                + &pair(
                                    r#""params":{"name":"allowed"}"#,
                                    &other.replace('$', r#"{"name":"forbidden"}"#),
                                    is_first,
                                )
                        }
                        _ => {
                            let pair = pair(
                                r#""name":"allowed""#,
                                &other.replace('$', r#""forbidden""#),
                                is_first,
                            );
                            format!(r#""method":"tools/call","params":{{{pair}}}"#)
                        }
                    };
                    add(
                        bodies,
                        "a key twice, or one that looks like it",
                        format!("{{{body}}}"),
                    );
                }
            }
            // The other spelling alone.
            let alone = HIDDEN.replacen(&format!("\"{key}\""), &format!("\"{spelling}\""), 1);
            add(bodies, "a key in another spelling", alone);
        }
    }
    for body in [
        r#"{"method":"tools/call","params":{"uri":"u","uri":"v","name":"allowed"}}"#,
        r#"{"method":"resources/read","params":{"uri":"u","uri":"v"}}"#,
        r#"{"method":"tasks/get","params":{"taskId":"u","taskid":"v"}}"#,
        r#"{"__proto__":{"method":"tools/call","params":{"name":"forbidden"}},"id":1,"result":{}}"#,
        r#"{"method":"tools/call","params":{"__proto__":{"name":"forbidden"}}}"#,
        r#"{"__proto__":{"params":{"name":"forbidden"}},"method":"tools/call"}"#,
        r#"{"constructor":{"prototype":{"method":"x"}},"method":"tools/list"}"#,
        r#"{"method":"tools/list","params":{"x":1},"params":null}"#,
        r#"{"result":{},"method":"tools/call","params":{"name":"forbidden"}}"#,
        r#"{"method":"tools/call","params":{"name":"forbidden"},"error":null}"#,
        r#"{"":{"method":"tools/call"},"method":"tools/list"}"#,
        r#"{"method":"tools/list","$ref":"a","a":{"method":"tools/call"}}"#,
        r#"{"method":"tools/list","@type":"x","json_class":"String"}"#,
    ] {
        add(bodies, "keys with a meaning", body);
    }
}

fn pair(one: &str, other: &str, is_other_first: bool) -> String {
    match is_other_first {
        true => format!("{other},{one}"),
        false => format!("{one},{other}"),
    }
}

fn two_documents(bodies: &mut Vec<Body>) {
    for between in [
        "",
        " ",
        "\n",
        "\r\n",
        "\0",
        ",",
        ";",
        "\u{1e}",
        "\u{1a}",
        "\u{4}",
        "\u{c}",
        "\u{b}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "]",
        "}",
        "[",
        "null",
        "//",
        "#",
        "/*",
        "--",
        "\n\n",
        "\u{85}",
        "\u{7f}",
        "\\n",
        "&",
        "=",
        "data: ",
        "\r\n\r\n",
        "0\r\n\r\n",
    ] {
        for (one, other) in [(HONEST, HIDDEN), (HIDDEN, HONEST)] {
            add(bodies, "two documents", format!("{one}{between}{other}"));
        }
        add(bodies, "something before", format!("{between}{HIDDEN}"));
        add(bodies, "something after", format!("{HIDDEN}{between}"));
    }
    for prefix in [
        ")]}',\n",
        "while(1);",
        "for(;;);",
        "callback(",
        "\u{1e}",
        "\x1b[0m",
        "data: ",
        "Content-Length: 9\r\n\r\n",
        "@",
        "?",
        "\u{1}",
    ] {
        add(bodies, "a prefix", format!("{prefix}{HIDDEN}"));
    }
    for body in [
        "",
        " ",
        "\n",
        "\0",
        "null",
        "true",
        "1",
        "\"tools/call\"",
        "[]",
        "{}",
        "[{}]",
        "[null]",
        "undefined",
        "NaN",
    ] {
        add(bodies, "no message", body);
    }
}

fn comments(bodies: &mut Vec<Body>) {
    for (open, close) in [
        ("/*", "*/"),
        ("//", "\n"),
        ("#", "\n"),
        ("<!--", "-->"),
        ("--", "\n"),
        ("/**/", ""),
    ] {
        for body in [
            format!(
                r#"{{"method":"tools/list"{open},"method":"tools/call"{close},"params":{{"name":"forbidden"}}}}"#
            ),
            format!(
                r#"{{{open}"method":"tools/list",{close}"method":"tools/call","params":{{"name":"forbidden"}}}}"#
            ),
            format!(
                r#"{{"method":"tools/call","params":{{"name":{open}"allowed"{close}"forbidden"}}}}"#
            ),
            format!("{open}{HONEST}{close}{HIDDEN}"),
            format!("{HONEST}{open}{HIDDEN}{close}"),
            format!("{open}{close}{HIDDEN}"),
            format!(
                r#"{{"x":"{open}","method":"tools/list","y":"{close}","params":{{"name":"forbidden"}}}}"#
            ),
        ] {
            add(bodies, "comments", body);
        }
    }
    for body in [
        r#"{"method":"tools/call","params":{"name":"forbidden"},}"#,
        r#"{"method":"tools/call","params":{"name":"forbidden",}}"#,
        r#"{,"method":"tools/call","params":{"name":"forbidden"}}"#,
        r#"{"method":"tools/call",,"params":{"name":"forbidden"}}"#,
        r#"{"method":"tools/call";"params":{"name":"forbidden"}}"#,
        r#"{"method"="tools/call","params"=>{"name":"forbidden"}}"#,
        r#"{"method":"tools/call" "params":{"name":"forbidden"}}"#,
        r#"{"method":"tools/" "call","params":{"name":"forbidden"}}"#,
        r#"{"method":"tools/"+"call","params":{"name":"forbidden"}}"#,
        r#"{method:"tools/call",params:{name:"forbidden"}}"#,
        r#"{'method':'tools/call','params':{'name':'forbidden'}}"#,
        r#"{`method`:`tools/call`,"params":{"name":"forbidden"}}"#,
        r#"{"method":tools/call,"params":{"name":forbidden}}"#,
        r#"{"id":,"method":"tools/call","params":{"name":"forbidden"}}"#,
        r#"{"id":[,1,,],"method":"tools/call","params":{"name":"forbidden"}}"#,
        r#"({"method":"tools/call","params":{"name":"forbidden"}})"#,
        r#"“method”:“tools/call”"#,
        r#"[{"method":"tools/call","params":{"name":"forbidden"}},]"#,
        r#"[,{"method":"tools/call","params":{"name":"forbidden"}}]"#,
    ] {
        add(bodies, "almost JSON", body);
    }
}

fn encodings(bodies: &mut Vec<Body>) {
    for text in [HIDDEN.to_owned(), format!("\u{feff}{HIDDEN}")] {
        let utf16: Vec<u16> = text.encode_utf16().collect();
        add(
            bodies,
            "UTF-16",
            utf16
                .iter()
                .flat_map(|unit| unit.to_le_bytes())
                .collect::<Vec<_>>(),
        );
        add(
            bodies,
            "UTF-16",
            utf16
                .iter()
                .flat_map(|unit| unit.to_be_bytes())
                .collect::<Vec<_>>(),
        );
        add(
            bodies,
            "UTF-32",
            text.chars()
                .flat_map(|char| u32::from(char).to_le_bytes())
                .collect::<Vec<_>>(),
        );
        add(
            bodies,
            "UTF-32",
            text.chars()
                .flat_map(|char| u32::from(char).to_be_bytes())
                .collect::<Vec<_>>(),
        );
    }
    add(bodies, "UTF-8 with a mark", format!("\u{feff}{HIDDEN}"));
    // In UTF-7 these are quotation marks.
    add(
        bodies,
        "UTF-7",
        r#"{"method":"tools/list","x":"+ACI-,+ACI-method+ACI-:+ACI-tools/call"}"#,
    );
    let gzip: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV\xcaM-\xc9\xc8OQ\xb2R*\xc9\xcf\xcf)V\xaa\x05\x00";
    add(bodies, "gzip", gzip);
    add(bodies, "CBOR", &b"\xa1\x66method\x6atools/call"[..]);
    // The same text, its ASCII in ways that only lenient decoders take for ASCII.
    for (from, to) in [
        (&b"\""[..], &b"\xc0\xa2"[..]),
        (b"\"", b"\xe0\x80\xa2"),
        (b"\"", b"\xf0\x80\x80\xa2"),
        (b"{", b"\xc1\xbb"),
        (b":", b"\xc0\xba"),
        (b"\"", b"\xff\""),
        (b"\"", b"\"\xff"),
        (b"\"", b"\xc3\""),
        (b"\"", b"\"\xe2\x80\x8b"),
        (b"\"", b"\xef\xbc\x82"),
        (b"t", b"\xc1\xb4"),
        (b"o", b"o\xed\xa0\x80"),
        (b"o", b"\x80o"),
        (b"a", b"\xe1a"),
    ] {
        add(
            bodies,
            "lenient UTF-8",
            replaced(HIDDEN.as_bytes(), from, to),
        );
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match [*byte] == *from {
            true => out.extend_from_slice(to),
            false => out.push(*byte),
        }
    }
    out
}

/// Bytes that a lenient decoder drops, replaces, or takes the next byte along with.
fn bad_characters(bodies: &mut Vec<Body>) {
    for bad in [
        &b"\x80"[..],
        b"\xbf",
        b"\xc0",
        b"\xc2",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88",
        b"\xff",
        b"\xfe",
        b"\x81",
        b"\x95",
        b"\x81\\",
        b"\x81\"",
        b"\xa1\xa1",
        b"\x1b$B",
        b"\x00",
        b"\x1f",
        b"\x08",
        b"\x7f",
        b"\xc2\x80",
        b"\xe2\x80\xa8",
        b"\xef\xbf\xbd",
        b"\xef\xbf\xbf",
        b"\xf3\xa0\x81\xa1",
        b"\r",
        b"\n",
        b"\t",
        b"\x0c",
    ] {
        for (before, after) in [
            (
                r#"{"me"#,
                r#"thod":"tools/call","params":{"name":"forbidden"}}"#,
            ),
            (
                r#"{"method"#,
                r#"":"tools/call","params":{"name":"forbidden"}}"#,
            ),
            (
                r#"{"method":"tools/"#,
                r#"call","params":{"name":"forbidden"}}"#,
            ),
            (
                r#"{"method":"tools/call","params":{"na"#,
                r#"me":"forbidden"}}"#,
            ),
            (
                r#"{"method":"tools/call","params":{"name":"for"#,
                r#"bidden"}}"#,
            ),
            (
                r#"{"method":"tools/call","params":{"name":"forbidden"#,
                r#""}}"#,
            ),
            (
                r#"{"method":"tools/list","x":""#,
                r#"","method":"tools/call","params":{"name":"forbidden"}}"#,
            ),
            (
                r#"{"method":"tools/list","x":""#,
                r#"\","params":{"name":"forbidden"},"method":"tools/call","y":""}"#,
            ),
            (
                r#"{"method":"tools/list","params":{"x":""#,
                r#"","y":{"method":"tools/call"}}}"#,
            ),
            (
                "{",
                r#""method":"tools/call","params":{"name":"forbidden"}}"#,
            ),
            (
                r#"{"method":"#,
                r#""tools/call","params":{"name":"forbidden"}}"#,
            ),
        ] {
            let body = [before.as_bytes(), bad, after.as_bytes()].concat();
            add(bodies, "a bad or odd character", body);
        }
    }
}

fn types(bodies: &mut Vec<Body>) {
    for value in [
        "null",
        "true",
        "0",
        "-1.5",
        "[]",
        "{}",
        r#"["tools/call"]"#,
        r#"{"toString":"tools/call"}"#,
        r#"[["tools/call"]]"#,
        r#"{"0":"tools/call"}"#,
        r#""""#,
        r#"" tools/call""#,
        r#""tools/call ""#,
        r#""TOOLS/CALL""#,
        r#""tools\/call""#,
        r#""tools/call\u0000""#,
        r#""tools/call\u0000x""#,
        r#""\u0000tools/call""#,
        r#""tools/call\ud800""#,
        r#""tools\u2215call""#,
        r#""tools/call\n""#,
        r#""tools\\/call""#,
    ] {
        add(
            bodies,
            "a method of another type",
            format!(r#"{{"method":{value},"params":{{"name":"forbidden"}}}}"#),
        );
        let name = value.replace("tools", "forbidden");
        add(
            bodies,
            "a name of another type",
            format!(r#"{{"method":"tools/call","params":{{"name":{name}}}}}"#),
        );
        add(
            bodies,
            "a name before its method",
            format!(r#"{{"params":{{"name":{name}}},"method":"tools/call"}}"#),
        );
        add(
            bodies,
            "params of another type",
            format!(r#"{{"method":"tools/call","params":{value}}}"#),
        );
        add(
            bodies,
            "params before their method",
            format!(r#"{{"params":{value},"method":"tools/call"}}"#),
        );
    }
}

fn batches(bodies: &mut Vec<Body>) {
    for body in [
        format!("[{HONEST}]"),
        format!("[{HONEST},{HONEST}]"),
        format!("[{HONEST},{HIDDEN}]"),
        format!("[{HIDDEN},{HONEST}]"),
        format!("[{HONEST},[{HIDDEN}]]"),
        format!("[[{HIDDEN}]]"),
        format!("[[],{HIDDEN}]"),
        format!("[{HONEST},null,{HIDDEN}]"),
        format!("[{HONEST} {HIDDEN}]"),
        format!("[{HONEST}][{HIDDEN}]"),
        format!("[{HONEST}]{HIDDEN}"),
        format!("{HONEST}[{HIDDEN}]"),
        format!("[{HONEST}"),
        format!("{HIDDEN}]"),
        format!(r#"{{"0":{HIDDEN},"length":1,"method":"tools/list"}}"#),
        format!(r#"{{"method":"tools/list","messages":[{HIDDEN}],"batch":[{HIDDEN}]}}"#),
        format!(
            r#"[{HONEST},{{"id":2,"result":{{}}}},{{"method":"tools/list","method":"tools/call","params":{{"name":"forbidden"}}}}]"#
        ),
        format!(r#"[{HONEST},{{"id":2,"result":{{}}}}]"#),
        format!("[{}]", vec![HONEST; 100].join(",")),
        format!("[{},{HIDDEN}]", vec![HONEST; 100].join(",")),
    ] {
        add(bodies, "batches", body);
    }
}

fn escapes(bodies: &mut Vec<Body>) {
    for escape in [
        r"\x61",
        r"\'",
        r"\v",
        r"\0",
        r"\101",
        r"\a",
        r"\e",
        r"\u61",
        r"\u{61}",
        r"\U00000061",
        r"\u006",
        r"\u006g",
        r"\u-061",
        r"\u 061",
        r"\u+061",
        r"\u0x61",
        "\\\n",
        "\\\r\n",
        r"\\",
        r"\/",
        r"\u0061",
        r"\N{LATIN SMALL LETTER A}",
        "\\\u{2028}",
        r"\ud83d\ude00",
        r"\ud83d",
        r"\ude00",
        r"\ud83d\u0061",
        r"\ud83dx\ude00",
        r"\ud83d\ud83d\ude00",
        r"\uD83D\uDE00",
        r"\ud83d\n",
        r"\ud83d\",
        r"\u",
        r"\",
        r"\u0022",
        r#"\u0022,\u0022method\u0022:\u0022tools/call"#,
        r#"\","method":"tools/call","x":""#,
        r#"\\","method":"tools/call","x":""#,
        r#"\\\","method":"tools/call","x":""#,
    ] {
        for body in [
            format!(r#"{{"method":"tools/list","x":"{escape}","params":{{"name":"forbidden"}}}}"#),
            format!(r#"{{"method":"tools/call","params":{{"name":"{escape}"}}}}"#),
            format!(r#"{{"method":"tools/call","params":{{"name":"{escape}llowed"}}}}"#),
            format!(r#"{{"{escape}":1,"method":"tools/call","params":{{"name":"forbidden"}}}}"#),
            format!(r#"{{"method":"tools/c{escape}ll","params":{{"name":"forbidden"}}}}"#),
            format!(
                r#"{{"method":"tools/call","params":{{"n{escape}me":"forbidden","name":"allowed"}}}}"#
            ),
        ] {
            add(bodies, "escapes", body);
        }
    }
}

fn values(bodies: &mut Vec<Body>) {
    for value in [
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "0x10",
        "0b1",
        "1_000",
        "-",
        "--1",
        "1e999",
        "-1e999",
        "1E+2",
        "1e-999",
        "1n",
        "00",
        "-0",
        "1.0e",
        "TRUE",
        "True",
        "None",
        "nil",
        "undefined",
        "tru",
        "nulll",
        "yes",
        "new Date()",
        "/x/",
        "1,000",
        "１",
        "1;",
        "(1)",
        "function(){}",
        "99999999999999999999999999999999999999999999",
        "0.1e1",
        "[1,2",
        "{\"a\":1",
        "\"a\nb\"",
        "\"a\tb\"",
        "'a'",
        "\"\"\"",
        "b\"a\"",
        "[1]]",
        "{}}",
    ] {
        for body in [
            format!(r#"{{"id":{value},"method":"tools/call","params":{{"name":"forbidden"}}}}"#),
            format!(r#"{{"method":"tools/call","params":{{"name":"forbidden"}},"id":{value}}}"#),
            format!(
                r#"{{"method":"tools/call","params":{{"arguments":{{"x":{value}}},"name":"forbidden"}}}}"#
            ),
        ] {
            add(bodies, "odd values", body);
        }
    }
}

fn depths(bodies: &mut Vec<Body>) {
    for depth in [
        50, 95, 99, 100, 101, 126, 127, 128, 200, 511, 513, 1_000, 3_000,
    ] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let last = if open == "[" { "" } else { "1" };
            let deep = format!("{}{last}{}", open.repeat(depth), close.repeat(depth));
            add(
                bodies,
                "depth",
                format!(r#"{{"id":{deep},"method":"tools/call","params":{{"name":"allowed"}}}}"#),
            );
            add(
                bodies,
                "depth",
                format!(
                    r#"{{"method":"tools/call","params":{{"name":"allowed","arguments":{deep}}}}}"#
                ),
            );
        }
    }
    for length in [1_000, 5_000, 70_000] {
        let long = "x".repeat(length);
        add(
            bodies,
            "length",
            format!(r#"{{"{long}":1,"method":"tools/call","params":{{"name":"allowed"}}}}"#),
        );
        add(
            bodies,
            "length",
            format!(r#"{{"method":"tools/call","params":{{"name":"{long}"}}}}"#),
        );
        add(
            bodies,
            "length",
            format!(
                r#"{{"method":"tools/call","params":{{"arguments":{{"{long}":"{long}"}},"name":"allowed"}}}}"#
            ),
        );
        add(bodies, "length", format!("{}{HIDDEN}", " ".repeat(length)));
        add(bodies, "length", format!("{HIDDEN}{}", " ".repeat(length)));
    }
    let many: String = (0..200).map(|at| format!(r#""k{at}":1,"#)).collect();
    add(
        bodies,
        "many keys",
        format!(r#"{{{many}"method":"tools/call","params":{{"name":"allowed"}}}}"#),
    );
    add(
        bodies,
        "many keys",
        format!(r#"{{"method":"tools/call","params":{{{many}"name":"allowed"}}}}"#),
    );
}

fn unfinished(bodies: &mut Vec<Body>) {
    for end in (0..HIDDEN.len()).step_by(3) {
        add(bodies, "cut off", &HIDDEN[..end]);
        add(
            bodies,
            "cut off, and again",
            format!("{}{HIDDEN}", &HIDDEN[..end]),
        );
        add(
            bodies,
            "cut off, and closed",
            format!("{}\"}}}}", &HIDDEN[..end]),
        );
        add(
            bodies,
            "NUL within",
            format!("{}\0{}", &HIDDEN[..end], &HIDDEN[end..]),
        );
    }
}

/// With some bytes changed: one is put in, taken out, replaced or doubled.
fn changed(bytes: &[u8], seed: &mut u64) -> Vec<u8> {
    // xorshift64, so that a failure can be seen again.
    let mut next = |below: usize| {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        usize::try_from(*seed % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let likely = b"\"\"\"\\\\{}[],::/'#\0 \nutnemMsk0\xc3\x80\xff";
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(2) {
        let at = next(bytes.len());
        let byte = likely[next(likely.len())];
        match next(4) {
            _ if bytes.is_empty() => bytes.push(byte),
            0 => bytes.insert(at, byte),
            1 => drop(bytes.remove(at)),
            2 => bytes[at] = byte,
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}
