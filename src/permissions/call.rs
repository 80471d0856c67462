//! The table of all requests that meshform makes of AWS for a stack, each under the name of its IAM action, with the commands that make it.
//!
//! `provider::aws` takes the operation of a request from here and nowhere else: a call that isn't in the table doesn't compile, and a call
//! that is denied is told in the same words. A test holds the commands of each row against the requests that they make in the sandbox.

use super::Purpose::{self, Apply, Destroy, Plan, Rotate};

/// Declares the table: name of the row, IAM action, commands, what it is for.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $action:literal by [$($purpose:ident),*];)*) => {
        /// An AWS operation that meshform calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $($(#[$doc])* $name,)*
        }

        impl Call {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The IAM action, `service:Operation`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $action,)*
                }
            }

            /// The commands that call it.
            pub const fn callers(self) -> &'static [Purpose] {
                match self {
                    $(Self::$name => &[$($purpose),*],)*
                }
            }
        }
    };
}

calls! {
    /// Who we are; it needs no permission.
    GetCallerIdentity = "sts:GetCallerIdentity" by [Plan, Apply, Rotate, Destroy];
    /// Where the cluster is.
    DescribeCluster = "eks:DescribeCluster" by [Plan, Apply, Rotate, Destroy];
    /// The tags of many certificates at once, and regions in which something of the stack is left.
    GetResources = "tag:GetResources" by [Plan, Apply, Rotate, Destroy];

    /// The certificates of a region.
    ListCertificates = "acm:ListCertificates" by [Plan, Apply, Rotate, Destroy];
    /// One certificate: validation records, key, users.
    DescribeCertificate = "acm:DescribeCertificate" by [Plan, Apply, Rotate, Destroy];
    /// The tags of one certificate.
    ListTagsForCertificate = "acm:ListTagsForCertificate" by [Plan, Apply, Rotate, Destroy];
    /// Leaf and chain.
    GetCertificate = "acm:GetCertificate" by [Plan, Apply, Rotate, Destroy];
    /// A new certificate.
    RequestCertificate = "acm:RequestCertificate" by [Apply];
    /// A certificate from files, new or anew.
    ImportCertificate = "acm:ImportCertificate" by [Apply, Rotate];
    /// The private key, for deliveries.
    ExportCertificate = "acm:ExportCertificate" by [Apply, Rotate];
    /// Marks and tags.
    AddTagsToCertificate = "acm:AddTagsToCertificate" by [Apply];
    /// Marks and tags taken off, when a tag goes or a certificate is released.
    RemoveTagsFromCertificate = "acm:RemoveTagsFromCertificate" by [Apply, Destroy];
    /// The end of a certificate.
    DeleteCertificate = "acm:DeleteCertificate" by [Apply, Destroy];

    /// The hosted zones that an identity sees.
    ListHostedZonesByName = "route53:ListHostedZonesByName" by [Plan, Apply, Destroy];
    /// The records of a zone.
    ListResourceRecordSets = "route53:ListResourceRecordSets" by [Plan, Apply, Destroy];
    /// Records made and removed.
    ChangeResourceRecordSets = "route53:ChangeResourceRecordSets" by [Apply, Destroy];
    /// Whether the name servers know of a change.
    GetChange = "route53:GetChange" by [Apply];

    /// The secrets of a region, without their values.
    ListSecrets = "secretsmanager:ListSecrets" by [Plan, Apply, Rotate, Destroy];
    /// One secret, without its value.
    DescribeSecret = "secretsmanager:DescribeSecret" by [Plan, Apply, Rotate, Destroy];
    /// The value of a secret of other make, when it is taken over: is it what would be written?
    GetSecretValue = "secretsmanager:GetSecretValue" by [Plan, Apply];
    /// A secret's resource policy.
    GetResourcePolicy = "secretsmanager:GetResourcePolicy" by [Plan, Apply, Rotate];
    /// The same, written.
    PutResourcePolicy = "secretsmanager:PutResourcePolicy" by [Apply, Rotate];
    /// The same, taken off.
    DeleteResourcePolicy = "secretsmanager:DeleteResourcePolicy" by [Apply];
    /// Copies of a secret in other regions.
    ReplicateSecretToRegions = "secretsmanager:ReplicateSecretToRegions" by [Apply, Rotate];
    /// The end of such copies.
    RemoveRegionsFromReplication = "secretsmanager:RemoveRegionsFromReplication" by [Apply, Destroy];
    /// A new secret.
    CreateSecret = "secretsmanager:CreateSecret" by [Apply, Rotate];
    /// A new version.
    PutSecretValue = "secretsmanager:PutSecretValue" by [Apply, Rotate];
    /// An older version made current again.
    UpdateSecretVersionStage = "secretsmanager:UpdateSecretVersionStage" by [Apply, Rotate];
    /// Description and key.
    UpdateSecret = "secretsmanager:UpdateSecret" by [Apply, Rotate];
    /// Marks and tags.
    TagSecret = "secretsmanager:TagResource" by [Apply, Rotate];
    /// Tags taken off.
    UntagSecret = "secretsmanager:UntagResource" by [Apply, Destroy];
    /// The end of a secret.
    DeleteSecret = "secretsmanager:DeleteSecret" by [Apply, Destroy];
    /// A deletion taken back.
    RestoreSecret = "secretsmanager:RestoreSecret" by [Apply, Rotate];
}

impl From<Call> for &'static str {
    fn from(call: Call) -> Self {
        call.name()
    }
}

impl Call {
    /// Whether a command calls it.
    pub fn is_called_by(self, purpose: Purpose) -> bool {
        self.callers().contains(&purpose)
    }
}
