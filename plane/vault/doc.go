// Package vault encrypts what must not be read from the disk: the values of
// secrets, SecureString parameters, and whatever callers have KMS encrypt.
//
// Three layers of keys. The master keys are in the file vault.key of the data
// folder, mode 0600, and nowhere else: not in the store, its snapshots or its
// backups. They wrap the materials of KMS keys, which the store keeps. From a
// material and a fresh salt comes, by HKDF, a key that encrypts one blob with
// AES-256-GCM and is never used again.
//
// A blob begins with its format, the id of its KMS key and of the material. All of
// that, the key's ARN and the caller's encryption context are authenticated with
// it, so that a blob opens only as what it was sealed as: put in another record's
// place, or under another version, it does not open.
//
// Rotate makes a new master key, which wraps from then on, and wraps the materials
// anew that are there. Older master keys stay in the file, so that a backup of the
// store made before the rotation can still be read.
//
// Whoever has the store but not vault.key can read no secret. Whoever loses
// vault.key loses them all: back it up, apart from the store. Servers that share a
// store all need the same vault.key; copy it again after a rotation, before they
// start next. A server that misses a master key which the store needs refuses to
// start.
package vault
