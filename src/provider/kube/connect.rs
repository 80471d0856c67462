//! The way to a cluster: EKS natively, a kubeconfig, the pod's service account, or the sandbox.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::Config;
use kube::config::{Cluster, Context, KubeConfigOptions, Kubeconfig, NamedCluster, NamedContext};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{KindPath, Kube};
use crate::provider::aws::Aws;
use crate::provider::aws::eks::{Eks, TOKEN_LIFE};
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::secret::SecretBytes;

/// Which cluster, and how.
pub enum Target<'a> {
    /// An EKS cluster by name, with the AWS credentials of the run.
    Eks {
        /// Its name.
        name: &'a str,
        /// The AWS account.
        aws: &'a Aws,
        /// In the sandbox, the client that answers in process.
        sandbox: Option<kube::Client>,
    },
    /// A kubeconfig's context.
    Kubeconfig {
        /// The file; absent: `KUBECONFIG`, or `~/.kube/config`.
        path: Option<PathBuf>,
        /// The context; absent: the current one.
        context: Option<String>,
    },
    /// The pod's service account.
    InCluster,
    /// The sandbox's cluster.
    Sandbox(kube::Client),
}

/// Bearer tokens of an EKS cluster, renewed before they end: an apply may take longer than one lives.
#[derive(Clone)]
pub struct Tokens {
    eks: Eks,
    cluster: String,
    current: Arc<Mutex<Option<(HeaderValue, Instant)>>>,
}

impl Tokens {
    /// The header to send now.
    pub(super) async fn header(&self) -> Result<HeaderValue, ProviderError> {
        let mut current = self.current.lock().await;
        if let Some((header, made)) = current.as_ref()
            && made.elapsed() < TOKEN_LIFE
        {
            return Ok(header.clone());
        }
        let token = self.eks.token(&self.cluster).await?;
        let bearer = SecretBytes::new([b"Bearer ", token.expose_secret()].concat());
        let mut header = HeaderValue::from_bytes(bearer.expose_secret()).map_err(|_| {
            ProviderError::own("making a token for the cluster", &self.cluster, Class::Credentials, "it is no header value")
        })?;
        header.set_sensitive(true);
        *current = Some((header.clone(), Instant::now()));
        Ok(header)
    }

    /// Makes the next request take a new token.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }
}

/// Connects, and asks which cluster it is.
pub async fn connect(target: Target<'_>, budget: Budget) -> Result<Kube, ProviderError> {
    let (client, tokens, describe) = match target {
        Target::Sandbox(client) => (client, None, "the sandbox's cluster".to_owned()),
        Target::Eks { name, aws, sandbox } => {
            let eks = aws.eks();
            let found = eks.describe(name).await?;
            let reach = if found.is_public { "" } else { ", whose endpoint is private: run inside its VPC" };
            let describe = format!("EKS cluster {name} at {}{reach}", found.endpoint);
            if let Some(client) = sandbox {
                (client, None, describe)
            } else {
                let config = from_endpoint(name, &found.endpoint, &found.ca_pem).await?;
                let tokens = Tokens { eks, cluster: name.to_owned(), current: Arc::default() };
                (client_of(config, name)?, Some(tokens), describe)
            }
        }
        Target::Kubeconfig { path, context } => {
            let subject = path.as_ref().map_or_else(|| "the kubeconfig".to_owned(), |path| path.display().to_string());
            let wrong = |error: &dyn std::error::Error| ProviderError::own("reading", &subject, Class::Invalid, causes(error));
            let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
            let config = match &path {
                Some(path) => {
                    let kubeconfig = Kubeconfig::read_from(path).map_err(|error| wrong(&error))?;
                    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| wrong(&error))?
                }
                None => Config::from_kubeconfig(&options).await.map_err(|error| wrong(&error))?,
            };
            if let Some(exec) = &config.auth_info.exec {
                tracing::info!(
                    command = exec.command.as_deref().unwrap_or_default(),
                    "the kubeconfig names a credential helper, which is run"
                );
            }
            let describe = format!("the cluster at {}", config.cluster_url);
            (client_of(config, &subject)?, None, describe)
        }
        Target::InCluster => {
            let config = Config::incluster()
                .map_err(|error| ProviderError::own("reading", "the pod's service account", Class::Invalid, causes(&error)))?;
            (client_of(config, "the pod's service account")?, None, "the cluster of this pod".to_owned())
        }
    };
    let (catalog, version) = (Arc::default(), Arc::default());
    let mut kube = Kube { client, tokens, budget, uid: String::new(), describe, catalog, version };
    let namespaces = KindPath { api_version: "v1".into(), plural: "namespaces".into() };
    let found = kube.get(&namespaces, None, "kube-system").await?;
    kube.uid = found
        .map(|namespace| namespace.uid().to_owned())
        .ok_or_else(|| ProviderError::own("get namespaces", "kube-system", Class::Server, "the cluster has no namespace kube-system"))?;
    Ok(kube)
}

/// A configuration for an endpoint and its CA. It goes through a kubeconfig in memory, so that the proxy settings of the environment count.
async fn from_endpoint(name: &str, endpoint: &str, ca_pem: &[u8]) -> Result<Config, ProviderError> {
    let cluster =
        Cluster { server: Some(endpoint.to_owned()), certificate_authority_data: Some(STANDARD.encode(ca_pem)), ..Cluster::default() };
    let context = Context { cluster: name.to_owned(), ..Context::default() };
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster { name: name.to_owned(), cluster: Some(cluster), ..NamedCluster::default() }],
        contexts: vec![NamedContext { name: name.to_owned(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name.to_owned()),
        ..Kubeconfig::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| ProviderError::own("reading the endpoint of", name, Class::Invalid, causes(&error)))
}

fn client_of(mut config: Config, subject: &str) -> Result<kube::Client, ProviderError> {
    // Our own repeats are enough: two layers of them would multiply.
    config.default_retry = false;
    let builder = kube::client::ClientBuilder::try_from(config)
        .map_err(|error| ProviderError::own("making a client for", subject, Class::Invalid, causes(&error)))?;
    Ok(builder.build())
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
