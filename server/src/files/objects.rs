//! The places of the bytes of files: a folder, a bucket, or memory.

use super::bucket::BucketConnector;
use crate::data::folder::{FILES_FOLDER, PRIVATE_FOLDER};
use object_store::{
    ObjectStore, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem, memory::InMemory, path::Path,
    prefix::PrefixStore,
};
use std::{
    fmt, fs::DirBuilder, os::unix::fs::DirBuilderExt, path::PathBuf, str::FromStr, sync::Arc, time::Duration,
};

/// The place where files are kept: `--files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePlace {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of S3 or of a server that speaks like it, with what stands before each key.
    Bucket {
        /// The name of the bucket.
        name: String,
        /// The prefix of each key; may be empty.
        prefix: String,
    },
}

/// A place that is open.
#[derive(Clone)]
pub struct Objects {
    /// The objects in it.
    pub store: Arc<dyn ObjectStore>,
    /// The folder that it is; `None` for any other place.
    pub folder: Option<PathBuf>,
}

impl From<Arc<dyn ObjectStore>> for Objects {
    fn from(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None }
    }
}

/// A place that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a folder, or s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct InvalidPlace;

impl FromStr for FilePlace {
    type Err = InvalidPlace;

    fn from_str(place: &str) -> Result<Self, InvalidPlace> {
        if let Some(rest) = place.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let prefix = prefix.trim_matches('/');
            let is_valid =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            return if is_valid {
                Ok(Self::Bucket { name: name.into(), prefix: prefix.into() })
            } else {
                Err(InvalidPlace)
            };
        }
        if place.is_empty() || place.contains("://") {
            return Err(InvalidPlace);
        }
        Ok(Self::Folder(place.into()))
    }
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

impl FilePlace {
    /// Returns the folder of files in a data folder.
    pub fn within(data: &std::path::Path) -> Self {
        Self::Folder(data.join(FILES_FOLDER))
    }

    /// Opens the place. A folder is created if it does not exist; a bucket must exist, and its keys are in the usual
    /// environment variables (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`).
    ///
    /// # Errors
    /// One line with the place and the reason.
    pub fn open(&self) -> Result<Objects, String> {
        let cannot_use = |error: &dyn fmt::Display| format!("cannot use {self} for files: {error}");
        match self {
            Self::Folder(folder) => {
                let created = DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder);
                created.map_err(|error| cannot_use(&error))?;
                let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| cannot_use(&error))?;
                // A message is acknowledged when its files are on disk too.
                let objects = objects.with_fsync(true).with_automatic_cleanup(true);
                Ok(Objects { store: Arc::new(objects), folder: Some(folder.clone()) })
            }
            Self::Bucket { name, prefix } => {
                let bucket = AmazonS3Builder::from_env().with_bucket_name(name);
                let bucket = bucket.with_retry(retries()).with_http_connector(BucketConnector).build();
                let bucket = bucket.map_err(|error| cannot_use(&error))?;
                let objects: Arc<dyn ObjectStore> =
                    Arc::new(PrefixStore::new(bucket, Path::from(prefix.as_str())));
                Ok(objects.into())
            }
        }
    }
}

/// Returns how often a request to a bucket is repeated: its answer must come within that of the client of the server.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(8), ..RetryConfig::default() }
}

/// Returns a place that ends with the process.
pub fn in_memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_bucket() {
        let place = |text: &str| text.parse::<FilePlace>().map(|place| place.to_string());
        assert_eq!(place("/srv/files"), Ok("/srv/files".into()));
        assert_eq!(place("s3://chat"), Ok("s3://chat/".into()));
        assert_eq!(place("s3://chat/a/b/"), Ok("s3://chat/a/b".into()));
        for bad in ["", "s3://", "s3:///a", "s3://a b", "http://x/y"] {
            assert_eq!(place(bad), Err(InvalidPlace), "{bad}");
        }
    }
}
