//! How many of many secrets are gone, and how many innocents are hit. All of them are made up here, of shapes.

use base64::Engine as _;
use serde_json::{Value, json};

use super::super::Redactor;

/// Makes letters that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[self.roll(letters.len())]).collect()
    }

    fn hex(&mut self, length: usize) -> String {
        self.of("0123456789abcdef", length)
    }

    fn digits(&mut self, length: usize) -> String {
        self.of("123456789", length)
    }

    fn upper(&mut self, length: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
    }

    fn any(&mut self, length: usize) -> String {
        self.of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length - 2) + "a7"
    }
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn jwt(dice: &mut Dice) -> String {
    let encode = |text: &str| base64(text).trim_end_matches('=').to_owned();
    format!("{}.{}.{}", encode("{\"alg\":\"HS256\"}"), encode("{\"sub\":\"app\",\"exp\":1}"), dice.any(43))
}

fn pem(dice: &mut Dice, kind: &str) -> String {
    let lines: Vec<String> = (0..4).map(|_| dice.any(64)).collect();
    format!("-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----", lines.join("\n"))
}

/// A secret, and what it stands in when that is what tells it: `{}` is its place.
type Made = (String, &'static str);
/// What is known by a name, and what makes one of it.
type Shape = (&'static str, fn(&mut Dice) -> Made);
/// Where secrets are met, and what is left of a text there.
type Site = (&'static str, fn(&str) -> String);

/// The shapes, each with what makes one of it.
const SHAPES: &[Shape] = &[
    ("AWS access key", |d| (format!("AKIA{}", d.upper(16)), "{}")),
    ("AWS session key", |d| (format!("ASIA{}", d.upper(16)), "{}")),
    ("AWS secret key", |d| (d.any(40), "aws_secret_access_key={}")),
    ("AWS signature", |d| (d.hex(64), "https://b.s3.test/x?X-Amz-Expires=60&X-Amz-Signature={}")),
    ("GCP API key", |d| (format!("AIza{}", d.any(35)), "{}")),
    ("GCP access token", |d| (format!("ya29.{}", d.any(60)), "{}")),
    ("GCP client secret", |d| (format!("GOCSPX-{}", d.any(28)), "{}")),
    ("Azure storage key", |d| (format!("{}==", d.any(86)), "AccountName=a;AccountKey={};EndpointSuffix=core.test")),
    ("Azure SAS", |d| (format!("{}%3D", d.any(43)), "https://a.blob.test/c?sv=2024-01-01&sig={}")),
    ("GitHub token", |d| (format!("ghp_{}", d.any(36)), "{}")),
    ("GitHub fine-grained token", |d| (format!("github_pat_{}", d.any(60)), "{}")),
    ("GitHub app token", |d| (format!("ghs_{}", d.any(36)), "{}")),
    ("GitLab token", |d| (format!("glpat-{}", d.any(20)), "{}")),
    ("Slack bot token", |d| (format!("xoxb-{}-{}", d.digits(12), d.any(24)), "{}")),
    ("Slack app token", |d| (format!("xapp-1-{}-{}", d.upper(10), d.any(30)), "{}")),
    ("Slack hook", |d| {
        (format!("T{}/B{}/{}", d.upper(8), d.upper(8), d.any(24)), "https://hooks.slack.com/services/{}")
    }),
    ("Discord hook", |d| (d.any(60), "https://discord.com/api/webhooks/1234567890/{}")),
    ("Stripe key", |d| (format!("sk_{}_{}", "live", d.any(24)), "{}")),
    ("Stripe hook secret", |d| (format!("whsec_{}", d.any(32)), "{}")),
    ("OpenAI key", |d| (format!("sk-proj-{}", d.any(48)), "{}")),
    ("Anthropic key", |d| (format!("sk-ant-api03-{}", d.any(48)), "{}")),
    ("Hugging Face token", |d| (format!("hf_{}", d.any(34)), "{}")),
    ("npm token", |d| (format!("npm_{}", d.any(36)), "{}")),
    ("PyPI token", |d| (format!("pypi-AgE{}", d.any(60)), "{}")),
    ("Docker token", |d| (format!("dckr_pat_{}", d.any(27)), "{}")),
    ("SendGrid key", |d| (format!("SG.{}.{}", d.any(22), d.any(43)), "{}")),
    ("Mailgun key", |d| (format!("key-{}", d.hex(32)), "{}")),
    ("Twilio key", |d| (format!("SK{}", d.hex(32)), "{}")),
    ("Telegram token", |d| (format!("{}:AA{}", d.digits(10), d.any(33)), "{}")),
    ("DigitalOcean token", |d| (format!("dop_v1_{}", d.hex(64)), "{}")),
    ("Shopify token", |d| (format!("shpat_{}", d.hex(32)), "{}")),
    ("Vault token", |d| (format!("hvs.{}", d.any(24)), "{}")),
    ("Grafana token", |d| (format!("glsa_{}_{}", d.any(32), d.hex(8)), "{}")),
    ("New Relic key", |d| (format!("NRAK-{}", d.upper(27)), "{}")),
    ("Databricks token", |d| (format!("dapi{}", d.hex(32)), "{}")),
    ("Atlassian token", |d| (format!("ATATT3x{}", d.any(60)), "{}")),
    ("Linear key", |d| (format!("lin_api_{}", d.any(40)), "{}")),
    ("PlanetScale password", |d| (format!("pscale_pw_{}", d.any(40)), "{}")),
    ("age key", |d| (format!("AGE-SECRET-KEY-1{}", d.upper(58)), "{}")),
    ("JWT", |d| (jwt(d), "{}")),
    ("RSA key", |d| (pem(d, "RSA PRIVATE"), "{}")),
    ("OpenSSH key", |d| (pem(d, "OPENSSH PRIVATE"), "{}")),
    ("bearer", |d| (d.any(32), "Authorization: Bearer {}")),
    ("basic", |d| (base64(&format!("app:{}", d.any(12))), "Authorization: Basic {}")),
    ("URL password", |d| (d.any(12), "postgres://app:{}@db:5432/shop")),
    ("URL password with a slash", |d| (format!("{}/{}", d.any(6), d.any(6)), "amqp://app:{}@mq:5672/")),
    ("password in a query", |d| (d.any(12), "jdbc:postgresql://db/shop?user=app&password={}")),
    ("password in a DSN", |d| (d.any(12), "host=db user=app password={} dbname=shop")),
    ("password of SQL Server", |d| (d.any(12), "Server=db;User Id=app;Password={};Database=shop")),
    ("flag", |d| (d.any(14), "serve --db-password={} --port=80")),
    ("JSON-quoted key", |d| (d.any(14), "{\"user\":\"app\",\"client_secret\":\"{}\",\"n\":1}")),
    ("JSON in JSON", |d| (d.any(14), "{\"body\":\"{\\\"api_key\\\":\\\"{}\\\",\\\"n\\\":1}\"}")),
    ("encoded password", |d| (base64(&format!("db_password={}", d.any(12))), "{}")),
    ("encoded URL", |d| (base64(&format!("redis://:{}@cache:6379", d.any(12))), "{}")),
    ("encoded token", |d| (base64(&format!("{{\"t\":\"ghp_{}\"}}", d.any(36))), "{}")),
    ("netrc", |d| (d.any(12), "machine db.test login app password {}")),
];

/// Puts a text where secrets are met, and gives what is left of that after redaction.
const PLACES: &[Site] = &[
    ("log", |text| Redactor::new().text(&format!("2026-11-21T12:00:00Z ERROR request failed: {text}")).into_owned()),
    ("log of lines", |text| Redactor::new().text(&format!("starting\nusing {text}\nfailed\n")).into_owned()),
    ("event", |text| object("Event", json!({"message": format!("Readiness probe failed: {text}")}))),
    ("env", |text| object("Pod", json!({"spec": {"containers": [{"env": [{"name": "SETTINGS", "value": text}]}]}}))),
    ("argument", |text| object("Pod", json!({"spec": {"containers": [{"args": ["run", text]}]}}))),
    ("shell", |text| {
        object("Pod", json!({"spec": {"containers": [{"command": ["sh", "-c", format!("exec run '{text}' --fast")]}]}}))
    }),
    ("ConfigMap", |text| object("ConfigMap", json!({"data": {"settings": text}}))),
    ("file", |text| object("ConfigMap", json!({"data": {"app.conf": format!("# shop\nport = 80\n{text}\n")}}))),
    ("annotation", |text| object("Deployment", json!({"metadata": {"annotations": {"example.com/note": text}}}))),
    ("custom resource", |text| object("Widget", json!({"spec": {"settings": {"connection": text}}}))),
    ("termination", |text| {
        object("Pod", json!({"status": {"containerStatuses": [{"lastState": {"terminated": {"message": text}}}]}}))
    }),
];

fn object(kind: &str, value: Value) -> String {
    super::object(kind, value).to_string()
}

/// Returns secrets of all shapes, so many of each, and texts that they stand in.
pub(crate) fn secrets(of_each: usize) -> Vec<(String, String)> {
    let mut dice = Dice(23);
    let made = SHAPES.iter().flat_map(|(_, make)| std::iter::repeat_n(make, of_each)).map(|make| make(&mut dice));
    made.map(|(secret, frame)| {
        let text = frame.replacen("{}", &secret, 1);
        (secret, text)
    })
    .collect()
}

/// Returns whether any telling part of a secret is left: a line of a key is enough.
pub(crate) fn survives(secret: &str, left: &str) -> bool {
    secret.lines().filter(|line| !line.starts_with("-----")).any(|line| left.contains(line))
}

#[test]
fn ninety_nine_of_a_hundred_secrets_are_gone() {
    let mut dice = Dice(7);
    let (mut all, mut left) = (0, Vec::new());
    for (shape, make) in SHAPES {
        for (place, put) in PLACES {
            let (secret, frame) = make(&mut dice);
            all += 1;
            if survives(&secret, &put(&frame.replacen("{}", &secret, 1))) {
                left.push(format!("{shape} in {place}: {secret}"));
            }
        }
    }
    println!("{} of {all} secrets in {} shapes at {} places are gone", all - left.len(), SHAPES.len(), PLACES.len());
    assert!(SHAPES.len() >= 30 && all >= 300);
    assert!(left.len() * 100 <= all, "{} of {all} are left:\n{}", left.len(), left.join("\n"));
}

/// What looks like a secret and is none.
const INNOCENTS: &[fn(&mut Dice) -> String] = &[
    |d| format!("image shop/web@sha256:{}", d.hex(64)),
    |d| format!("commit {} by CI", d.hex(40)),
    |d| format!("uid: {}-{}-4{}-a{}-{}", d.hex(8), d.hex(4), d.hex(3), d.hex(3), d.hex(12)),
    |d| {
        format!(
            "pod cart-{}-{} is not ready",
            d.of("bcdfghjklmnpqrstvwxz2456789", 10),
            d.of("bcdfghjklmnpqrstvwxz2456789", 5)
        )
    },
    |d| format!("resourceVersion: {}", d.digits(9)),
    |d| format!("password authentication failed for user \"app{}\"", d.digits(1)),
    |d| format!("secret \"db-{}\" not found", d.hex(5)),
    |d| format!("couldn't find key password in Secret shop/db-{}", d.hex(4)),
    |d| format!("MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls-{}\" not found", d.hex(4)),
    |d| format!("trace_id={} span_id={}", d.hex(32), d.hex(16)),
    |d| format!("ETag: \"{}\"", d.hex(32)),
    |d| format!("checksum/config: {}", d.hex(64)),
    |d| format!("payload {} of a picture", base64(&format!("hello world, this is order {}", d.digits(6)))),
    |d| format!("GET /token/refresh?id={} 401", d.digits(5)),
    |d| format!("token-service-{}-x{} restarted", d.of("bcdfghjkl245", 9), d.digits(4)),
    |d| format!("MAX_TOKENS={} TOKENIZER=bpe", d.digits(4)),
    |d| format!("PASSWORD_FILE=/run/secrets/db-{}", d.digits(2)),
    |d| format!("invalid token: unexpected character at offset {}", d.digits(3)),
    |d| format!("dial tcp 10.0.{}.{}:5432: connect: connection refused", d.digits(2), d.digits(2)),
    |d| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", d.any(64)),
    |d| format!("registry.test/team/api:1.{}.{}-{}", d.digits(1), d.digits(2), d.hex(7)),
    |d| format!("http://api-{}.shop.svc:8080/v1/items?page={}", d.digits(1), d.digits(2)),
    |d| format!("serviceAccountToken: {{path: token, expirationSeconds: 36{}}}", d.digits(2)),
    |d| format!("goroutine {} [running]:\nmain.(*AuthTokenStore).Refresh(0xc000{})", d.digits(2), d.hex(6)),
    |d| format!("secretName: regcred-{}", d.digits(3)),
    |d| format!("kubernetes.io/service-account.name: app-{}", d.digits(2)),
    |d| format!("authorization failed: user app{} may not list pods", d.digits(2)),
    |d| format!("ConfigMapHash{}AndMoreCamelCaseWords", d.digits(3)),
    |d| format!("/var/lib/kubelet/pods/{}/volumes/kubernetes.io~secret/db", d.hex(8)),
    |d| format!("sk-learn-{} and hf_transfer {} and npm_config_cache", d.digits(2), d.digits(1)),
];

#[test]
fn no_more_than_two_of_a_hundred_innocents_are_hit() {
    let mut dice = Dice(11);
    let (mut all, mut hit) = (0, Vec::new());
    for innocent in INNOCENTS {
        for (place, put) in PLACES {
            let text = innocent(&mut dice);
            all += 1;
            if put(&text).contains("<secret:") {
                hit.push(format!("{place}: {text}"));
            }
        }
    }
    println!("{} of {all} innocents are hit", hit.len());
    assert!(all >= 300);
    assert!(hit.len() * 50 <= all, "{} of {all} are hit:\n{}", hit.len(), hit.join("\n"));
}
