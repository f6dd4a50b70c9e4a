//! A second listener of a broker, with TLS and SASL, and who may use it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ports;

/// Of the listener's user, for every mechanism.
pub const USER: &str = "weir-user";
/// Of the listener's user, for every mechanism.
pub const PASSWORD: &str = "weir-password";

/// Of the key store that the test makes for itself and deletes again.
const STORE_PASSWORD: &str = "of-the-store";

/// The listener.
#[derive(Clone, Debug)]
pub(crate) struct Secured {
    pub(crate) port: u16,
    /// The certificate that clients must trust.
    pub(crate) certificate: PathBuf,
    store: PathBuf,
}

impl Secured {
    /// Makes a key with a certificate in `dir`.
    pub(crate) fn create(java: &Path, dir: &Path) -> Result<Self, String> {
        let (store, certificate) = (dir.join("server.p12"), dir.join("server.pem"));
        let name = ["-alias", "broker", "-storepass", STORE_PASSWORD, "-keystore"];
        let keytool = || Command::new(java.with_file_name("keytool"));
        let key = ["-keyalg", "RSA", "-keysize", "2048", "-validity", "3650", "-storetype", "PKCS12"];
        let whose = ["-dname", "CN=localhost", "-ext", "SAN=DNS:localhost,IP:127.0.0.1"];
        run(keytool().arg("-genkeypair").args(name).arg(&store).args(key).args(whose))?;
        run(keytool().args(["-exportcert", "-rfc"]).args(name).arg(&store).arg("-file").arg(&certificate))?;
        Ok(Self { port: ports::reserve(), certificate, store })
    }

    /// What the broker's other listeners are followed by.
    pub(crate) fn listener(&self) -> String {
        format!(",SECURED://127.0.0.1:{}", self.port)
    }

    /// The listener's protocol.
    pub(crate) fn protocol() -> &'static str {
        ",SECURED:SASL_SSL"
    }

    /// The broker's settings of this listener.
    pub(crate) fn properties(&self) -> String {
        format!(
            "listener.name.secured.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512\n\
             listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
             required user_{USER}=\"{PASSWORD}\";\n\
             listener.name.secured.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.secured.ssl.keystore.type=PKCS12\n\
             listener.name.secured.ssl.keystore.location={}\n\
             listener.name.secured.ssl.keystore.password={STORE_PASSWORD}\n\
             listener.name.secured.ssl.key.password={STORE_PASSWORD}\n",
            self.store.display()
        )
    }

    /// Whom the broker's metadata must know from its beginning.
    pub(crate) fn format_arguments() -> [String; 2] {
        ["--add-scram".to_owned(), format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]")]
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run keytool, which comes with java: {error}"))?;
    let said = || [output.stdout.clone(), output.stderr.clone()].concat();
    if output.status.success() { Ok(()) } else { Err(format!("keytool: {}", String::from_utf8_lossy(&said()))) }
}
