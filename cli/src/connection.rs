//! Opens the store: the URL from wherever it is kept, and the layout that the namespace records.

use std::path::Path;
use std::time::Duration;

use mutator_governance::blocking::{Governance, RedisStore, RedisStoreBuilder};
use mutator_governance::{Credentials, NamespaceLayout};

use crate::failure::Failure;
use crate::session::Session;
use crate::values;

const DEFAULT_NAMESPACE: &str = "governance";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the URLs lead to.
enum Topology<'a> {
    Server,
    Cluster,
    /// Sentinels, which watch the server under this name.
    Sentinels(&'a str),
}

impl Session {
    /// The service over a store that cannot write. The namespace has to exist.
    pub(crate) fn reading(&self) -> Result<Governance, Failure> {
        self.service(self.store_to_read()?)
    }

    /// The service over a store that can write. The namespace has to exist: a wrong name must not create one.
    pub(crate) fn writing(&self) -> Result<Governance, Failure> {
        self.service(self.store_to_write()?)
    }

    /// The same; it creates the namespace if it does not exist.
    pub(crate) fn writing_anew(&self) -> Result<Governance, Failure> {
        let builder = self.builder()?;
        let builder = match builder.layout()? {
            Some(layout) => builder.laid_out_as(&layout),
            None => builder,
        };
        self.service(builder.open()?)
    }

    pub(crate) fn store_to_read(&self) -> Result<RedisStore, Failure> {
        let builder = self.builder()?.read_only();
        let layout = self.layout_of(&builder)?;
        Ok(builder.laid_out_as(&layout).open()?)
    }

    pub(crate) fn store_to_write(&self) -> Result<RedisStore, Failure> {
        let builder = self.builder()?;
        let layout = self.layout_of(&builder)?;
        Ok(builder.laid_out_as(&layout).open()?)
    }

    /// The layout of the namespace, which has to exist.
    pub(crate) fn layout_of(&self, builder: &RedisStoreBuilder) -> Result<NamespaceLayout, Failure> {
        builder.layout()?.ok_or_else(|| {
            let namespace = self.namespace();
            Failure::NotFound(format!(
                "namespace {namespace} does not exist on this server; check --namespace. The programs that use it create it, \
                 and so do submit and import with --create"
            ))
        })
    }

    pub(crate) fn namespace(&self) -> &str {
        self.general.namespace.as_deref().or(self.configuration.namespace.as_deref()).unwrap_or(DEFAULT_NAMESPACE)
    }

    pub(crate) fn builder(&self) -> Result<RedisStoreBuilder, Failure> {
        let url = self.url()?;
        let urls = url.split(',').map(str::trim);
        let builder = match self.topology()? {
            Topology::Server => RedisStore::builder(url.trim()),
            Topology::Cluster => RedisStore::cluster_builder(urls),
            Topology::Sentinels(name) => self.with_server_login(RedisStore::sentinel_builder(name, urls))?,
        };
        // A namespace's programs decide how much of the feed is kept; this one never shortens it.
        let builder = builder.namespace(self.namespace()).timeout(self.timeout()?).feed_length(u32::MAX);
        self.with_tls(builder)
    }

    /// An option wins over the file, whichever of the two it is.
    fn topology(&self) -> Result<Topology<'_>, Failure> {
        let (general, file) = (&self.general, &self.configuration);
        if general.cluster {
            return Ok(Topology::Cluster);
        }
        if general.sentinel.is_none() && file.cluster {
            return match file.sentinel {
                None => Ok(Topology::Cluster),
                Some(_) => Err(Failure::usage("the configuration file has cluster and sentinel; it is one of them")),
            };
        }
        let name = general.sentinel.as_ref().or(file.sentinel.as_ref());
        Ok(name.map_or(Topology::Server, |name| Topology::Sentinels(name)))
    }

    fn with_server_login(&self, builder: RedisStoreBuilder) -> Result<RedisStoreBuilder, Failure> {
        let Some(file) = &self.configuration.server_login_file else { return Ok(builder) };
        let login = text_of(&self.configuration.beside(file))?;
        let Some((user, password)) = login.trim().split_once(':') else {
            return Err(Failure::usage("server_login_file: the file is not user:password"));
        };
        Ok(builder.credentials(Credentials::new(user, password)))
    }

    fn timeout(&self) -> Result<Duration, Failure> {
        let configured = || match &self.configuration.timeout {
            Some(text) => values::duration(text).map_err(|problem| Failure::Usage(format!("timeout: {problem}"))),
            None => Ok(DEFAULT_TIMEOUT),
        };
        self.general.timeout.map_or_else(configured, Ok)
    }

    fn url(&self) -> Result<String, Failure> {
        // A variable may be set to nothing.
        if let Some(url) = self.general.url.as_ref().filter(|url| !url.trim().is_empty()) {
            return Ok(url.clone());
        }
        if let Some(file) = &self.general.url_file {
            return text_of(file);
        }
        if let Some(url) = &self.configuration.url {
            return Ok(url.clone());
        }
        if let Some(file) = &self.configuration.url_file {
            return text_of(&self.configuration.beside(file));
        }
        let problem = "no server is given: set MUTATORCTL_URL, give --url or --url-file, or write url or url_file into the \
                       configuration file";
        Err(Failure::usage(problem))
    }

    fn with_tls(&self, mut builder: RedisStoreBuilder) -> Result<RedisStoreBuilder, Failure> {
        let tls = &self.configuration.tls;
        let read = |path: &Path| bytes_of(&self.configuration.beside(path));
        if let Some(roots) = &tls.root_certificates {
            builder = builder.root_certificates(read(roots)?);
        }
        match (&tls.client_certificate, &tls.client_key) {
            (Some(chain), Some(key)) => builder = builder.client_certificate(read(chain)?, read(key)?),
            (None, None) => {}
            _ => return Err(Failure::usage("tls: client_certificate and client_key belong together")),
        }
        if let Some(name) = &tls.server_name {
            builder = builder.server_name(name.clone());
        }
        Ok(builder)
    }

    /// What tells one server and namespace from another, without any login, for names of files.
    pub(crate) fn place(&self) -> Result<String, Failure> {
        let url = self.url()?;
        let address = url.rsplit('@').next().unwrap_or_default();
        let address = address.rsplit("://").next().unwrap_or_default();
        let safe = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.', "_");
        Ok(format!("{}-{}", safe(self.namespace()), safe(address.trim())))
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::file(path, &error))
}

fn text_of(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}
