//! S12 XML that is meant to hurt its reader, and text of clients in the XML that is answered.

use crate::harness::product::{BUCKET, Product};
use crate::harness::refusal::{assert_tells_nothing, assert_untouched, product, refused};
use crate::harness::s3_client::{BodyMode, S3Client};

/// Every operation that reads a document: its target, the root, and what a good one holds.
fn readers(upload: &str) -> [(&'static str, String, &'static str, &'static str); 3] {
    [
        ("POST", format!("/{BUCKET}?delete"), "Delete", "<Object><Key>none</Key></Object>"),
        (
            "POST",
            format!("/{BUCKET}/key?uploadId={upload}"),
            "CompleteMultipartUpload",
            "<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>",
        ),
        (
            "PUT",
            format!("/{BUCKET}/key?tagging"),
            "Tagging",
            "<TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet>",
        ),
    ]
}

async fn upload(client: &S3Client) -> String {
    let created = client.send(&client.request("POST", &format!("/{BUCKET}/key?uploads")).build()).await.unwrap();
    created.element("UploadId").unwrap()
}

#[tokio::test]
async fn documents_that_attack_their_reader() {
    let product = product().await;
    let client = product.client();
    let id = upload(&client).await;
    for (method, target, root, good) in readers(&id) {
        let lol: String = (1..10).map(|level| format!("<!ENTITY l{level} \"&l{0};&l{0};\">", level - 1)).collect();
        let whole = format!("<{root}>{good}</{root}>");
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(whole.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let documents: Vec<(&str, Vec<u8>)> = vec![
            ("a DTD", format!("<!DOCTYPE {root}>{whole}").into()),
            ("a DTD from elsewhere", format!("<!DOCTYPE {root} SYSTEM \"http://127.0.0.1:1/x.dtd\">{whole}").into()),
            ("an internal DTD", format!("<!DOCTYPE {root} [<!ENTITY a \"b\">]>{whole}").into()),
            ("a DTD behind a comment", format!("<!-- x --><!DOCTYPE {root}>{whole}").into()),
            ("a laughing entity", format!("<!DOCTYPE x [<!ENTITY l0 \"x\">{lol}]><{root}>&l9;{good}</{root}>").into()),
            (
                "a parameter entity",
                format!("<!DOCTYPE x [<!ENTITY % a SYSTEM \"file:///etc/passwd\">%a;]>{whole}").into(),
            ),
            ("an entity of nobody", format!("<{root}>&x;{good}</{root}>").into()),
            ("an entity without end", format!("<{root}>&amp{good}</{root}>").into()),
            ("a processing instruction", format!("<{root}><?php x ?>{good}</{root}>").into()),
            ("a reference to nothing", format!("<{root}>&#0;{good}</{root}>").into()),
            ("a reference too far", format!("<{root}>&#x110000;{good}</{root}>").into()),
            ("a reference to half a pair", format!("<{root}>&#xD800;{good}</{root}>").into()),
            ("a huge reference", format!("<{root}>&#x{};{good}</{root}>", "f".repeat(1_000)).into()),
            ("deep", format!("<{root}>{}{}</{root}>", "<a>".repeat(7), "</a>".repeat(7)).into()),
            ("very deep", "<a>".repeat(1_000_000).into()),
            ("many elements", format!("<{root}>{}</{root}>", "<a/>".repeat(200_000)).into()),
            ("crossed", format!("<{root}><a><b></a></b>{good}</{root}>").into()),
            ("unclosed", format!("<{root}>{good}").into()),
            ("closed twice", format!("{whole}</{root}>").into()),
            ("two roots", format!("{whole}{whole}").into()),
            ("text behind", format!("{whole}x").into()),
            ("text before", format!("x{whole}").into()),
            ("UTF-16", utf16),
            ("overlong UTF-8", [b"<", root.as_bytes(), b">\xc0\xae</", root.as_bytes(), b">"].concat()),
            ("half a character", [whole.as_bytes(), b"\xc3"].concat()),
            ("NUL", format!("\0{whole}").into()),
            ("escape", format!("<{root}>\x1b[2J{good}</{root}>").into()),
            ("an open comment", format!("{whole}<!-- ").into()),
            ("an open section", format!("<{root}><![CDATA[{good}</{root}>").into()),
            ("an open tag", format!("<{root} {}", "a=\"b\" ".repeat(100_000)).into()),
            ("spaces", vec![b' '; 1 << 20]),
            ("JSON", b"{\"Objects\":[{\"Key\":\"key\"}]}".to_vec()),
        ];
        for (context, document) in documents {
            let request = client.request(method, &target).body(&document, BodyMode::Signed).build();
            refused(&product, &request, 400, "MalformedXML", &format!("{root}: {context}")).await;
        }
        for length in [(4 << 20) + 1, 64 << 20] {
            let mut request = client.request(method, &target).body(b"", BodyMode::Unsigned).build();
            request.set_header("content-length", &length.to_string());
            let before = product.seen();
            let mut connection = client.open().await.unwrap();
            connection.write(&request.head_bytes()).await.unwrap();
            let answer = connection.read(method).await.unwrap();
            assert_eq!((answer.status, answer.code().as_deref()), (400, Some("MalformedXML")), "{root} {length}");
            product.assert_no_call_since(&before, root);
        }
    }
    assert_untouched(&product, "documents").await;
}

/// XML that looks odd and is none of our business.
#[tokio::test]
async fn odd_documents_that_are_right() {
    let product = product().await;
    let client = product.client();
    for (context, document) in [
        (
            "a declaration",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete><Object><Key>none</Key></Object></Delete>\n",
        ),
        ("a byte order mark", "\u{feff}<Delete><Object><Key>none</Key></Object></Delete>"),
        (
            "a namespace",
            "<a:Delete xmlns:a=\"http://s3.amazonaws.com/doc/2006-03-01/\"><a:Object><a:Key>none</a:Key></a:Object></a:Delete>",
        ),
        ("comments", "<!-- a --><Delete><!-- b --><Object><Key>no<!-- c -->ne</Key></Object></Delete><!-- d -->"),
        ("a section", "<Delete><Object><Key><![CDATA[none]]></Key></Object></Delete>"),
        ("references", "<Delete><Object><Key>&#110;&#x6f;ne</Key></Object></Delete>"),
        ("unknown elements", "<Delete><X><Y/></X><Object><Key>none</Key><Z>1</Z></Object></Delete>"),
        ("attributes", "<Delete a='1'><Object b=\"2\"><Key>none</Key></Object></Delete>"),
    ] {
        let request = client.request("POST", &format!("/{BUCKET}?delete")).body(document.as_bytes(), BodyMode::Signed);
        let answer = client.send(&request.build()).await.unwrap();
        assert_eq!(
            (answer.status, answer.elements("Key")),
            (200, vec!["none".to_owned()]),
            "{context}: {}",
            answer.text()
        );
    }
    assert_untouched(&product, "odd documents").await;
}

#[tokio::test]
async fn as_many_entries_as_s3_takes() {
    let product = product().await;
    let client = product.client();
    let id = upload(&client).await;
    let keys =
        |count: usize| (0..count).map(|index| format!("<Object><Key>none-{index}</Key></Object>")).collect::<String>();
    for (count, status) in [(1_000, 200), (1_001, 400)] {
        let document = format!("<Delete><Quiet>true</Quiet>{}</Delete>", keys(count));
        let request = client.request("POST", &format!("/{BUCKET}?delete")).body(document.as_bytes(), BodyMode::Signed);
        assert_eq!(client.send(&request.build()).await.unwrap().status, status, "{count} keys");
    }
    let parts = |count: usize| {
        let part = |number| format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{:032x}\"</ETag></Part>", 7);
        (1..=count).map(part).collect::<String>()
    };
    for (count, code) in [(10_000, "InvalidPart"), (10_001, "MalformedXML"), (30_000, "MalformedXML")] {
        let document = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts(count));
        let target = format!("/{BUCKET}/key?uploadId={id}");
        let answer = client
            .send(&client.request("POST", &target).body(document.as_bytes(), BodyMode::Signed).build())
            .await
            .unwrap();
        assert_eq!((answer.status, answer.code().as_deref()), (400, Some(code)), "{count} parts: {}", answer.text());
    }
    assert_untouched(&product, "entries").await;
}

/// Names of clients come back in documents: none of them is ever markup there.
#[tokio::test]
async fn text_of_clients_stays_text() {
    let product = Product::start().await;
    let client = product.client();
    let nasty =
        ["<b>&amp;", "]]>", "\"'><script>alert(1)</script>", "&lt;", "<!--", "é\u{202e}x", "a&#x0;b", "%3Cb%3E"];
    for key in nasty {
        assert_eq!(client.put(BUCKET, key, b"x").await.unwrap().status, 200, "{key}");
    }
    for query in ["", "encoding-type=url", "prefix=%3Cb%3E", "delimiter=%3C", "start-after=%3C%26", "max-keys=1"] {
        let page = client.list(BUCKET, query).await.unwrap();
        assert_eq!(page.status, 200, "{query}: {}", page.text());
        assert!(
            !page.text().contains("<script") && !page.text().contains("<b>") && !page.text().contains("<!--"),
            "{}",
            page.text()
        );
        assert_eq!(page.header("content-type"), Some("application/xml"));
    }
    // What no XML can hold comes percent-encoded where the client asks for it, and as a reference where not.
    for (query, expected) in [
        ("prefix=%01%1f%0b&encoding-type=url", "<Prefix>%01%1F%0B</Prefix>"),
        ("prefix=%01%1f%0b", "<Prefix>&#x1;&#x1F;&#xB;</Prefix>"),
        ("delimiter=%0d%0a&encoding-type=url", "<Delimiter>%0D%0A</Delimiter>"),
    ] {
        let page = client.list(BUCKET, query).await.unwrap();
        assert!(page.status == 200 && page.text().contains(expected), "{query}: {}", page.text());
        assert!(!page.body.iter().any(|byte| *byte < b' ' && *byte != b'\n'), "{query}");
    }
    for target in [
        format!("/{BUCKET}/%3Cscript%3E?versionId=%3Cb%3E"),
        format!("/{BUCKET}/%3Cscript%3E"),
        format!("/{BUCKET}?list-type=%3Cb%3E"),
        format!("/{BUCKET}?max-keys=%3Cb%3E"),
        format!("/{BUCKET}?list-type=2&continuation-token=%3Cb%3E"),
        format!("/{BUCKET}/k?partNumber=%3Cb%3E"),
        format!("/{BUCKET}/k?prefix=%3Cb%3E&uploadId=%3Cb%3E"),
        "/%3Cb%3E/k".into(),
    ] {
        let answer = client.send(&client.request("GET", &target).build()).await.unwrap();
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.text().contains("<b>") && !answer.text().contains("<script"), "{target}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/xml"), "{target}");
        assert_tells_nothing(&answer, &target);
    }
    // The region and the key id that a client claims come back as well.
    let mut signed = client.object("GET", BUCKET, "key").build();
    let authorization = signed.header("authorization").unwrap().replacen("/us-east-1/", "/<b>/", 1);
    let answer = client.send(signed.set_header("authorization", &authorization)).await.unwrap();
    assert!(
        answer.status == 400 && answer.text().contains("&lt;b&gt;") && !answer.text().contains("<b>"),
        "{}",
        answer.text()
    );
}
