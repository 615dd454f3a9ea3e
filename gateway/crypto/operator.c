#include "crypto/operator.h"
#include "base/fs.h"
#include "base/secret.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

struct operators {
	struct {
		char name[OPERATOR_NAME];
		EVP_PKEY *key;
	} at[OPERATORS_MAX];
	int count;
};

bool operator_name_good(struct str name)
{
	if (!name.p || name.n == 0 || name.n >= OPERATOR_NAME || name.p[0] < 'a' || name.p[0] > 'z')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", name.p[i]) || name.p[i] == '\0')
			return false;
	return true;
}

/* A new file, never one that is there. */
static FILE *create(const char *path, mode_t mode, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		err_sys(e, ERR_CONF, errno, "key %.200s", path);
		if (fd >= 0)
			close(fd);
	}
	return f;
}

static int finish(FILE *f, bool good, const char *path, struct err *e)
{
	good = good && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (fclose(f) != 0 || !good) {
		unlink(path);
		return err_set(e, ERR_TEMP, "key %.200s: cannot be written", path);
	}
	return 0;
}

int operator_keygen(const char *private_file, const char *public_file, struct err *e)
{
	EVP_PKEY *key;
	FILE *f;
	int rc = -1;

	if (access(private_file, F_OK) == 0 || access(public_file, F_OK) == 0)
		return err_set(e, ERR_CONF, "key %.200s: is there already; a new key needs a new name",
			       access(private_file, F_OK) == 0 ? private_file : public_file);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!key)
		return err_set(e, ERR_TEMP, "key: cannot be made");
	f = create(private_file, 0600, e);
	if (!f || finish(f, PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1, private_file, e) != 0)
		goto out;
	f = create(public_file, 0644, e);
	if (!f || finish(f, PEM_write_PUBKEY(f, key) == 1, public_file, e) != 0)
		unlink(private_file);
	else
		rc = 0;
out:
	EVP_PKEY_free(key);
	return rc;
}

int operator_sign(const char *private_file, struct str text, uint8_t signature[SIGNATURE_LEN], struct err *e)
{
	size_t n = SIGNATURE_LEN;
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	FILE *f;
	int rc;

	if (secret_check(private_file, "key", e) != 0)
		return -1;
	f = fopen(private_file, "re");
	if (!f)
		return err_sys(e, ERR_CONF, errno, "key %.200s", private_file);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	ctx = EVP_MD_CTX_new();
	if (!key || !EVP_PKEY_is_a(key, "ED25519"))
		rc = err_set(e, ERR_CONF, "key %.200s: is not an operator's private key", private_file);
	else if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
		 EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.p, text.n) != 1 || n != SIGNATURE_LEN)
		rc = err_set(e, ERR_TEMP, "key %.200s: cannot sign", private_file);
	else
		rc = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rc;
}

static int load_one(struct operators *o, const char *dir, struct str name, const char *file, struct err *e)
{
	char path[PATH_BYTES];
	EVP_PKEY *key;
	FILE *f;

	if (!operator_name_good(name))
		return err_set(e, ERR_CONF, "operators %.200s: %.80s is no operator's name", dir, file);
	if (o->count == OPERATORS_MAX)
		return err_set(e, ERR_CONF, "operators %.200s: more than %d", dir, OPERATORS_MAX);
	if (fs_join(path, sizeof path, dir, file) != 0)
		return err_set(e, ERR_CONF, "operators: path too long");
	f = fopen(path, "re");
	if (!f)
		return err_sys(e, ERR_CONF, errno, "operator %.200s", path);
	key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	fclose(f);
	if (!key || !EVP_PKEY_is_a(key, "ED25519")) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_CONF, "operator %.200s: is not an Ed25519 public key (PEM)", path);
	}
	for (int i = 0; i < o->count; i++)
		if (EVP_PKEY_eq(o->at[i].key, key) == 1) {
			EVP_PKEY_free(key);
			return err_set(e, ERR_CONF, "operators %.200s: %s and %.*s have one key", dir, o->at[i].name,
				       (int)name.n, name.p);
		}
	(void)str_copy(o->at[o->count].name, OPERATOR_NAME, name);
	o->at[o->count++].key = key;
	return 0;
}

int operators_load(struct operators **out, const char *dir, struct err *e)
{
	struct operators *o = calloc(1, sizeof *o);
	struct dirent *it;
	DIR *d;
	int rc = 0;

	if (!o)
		return err_set(e, ERR_TEMP, "operators: out of memory");
	d = opendir(dir);
	if (!d && errno != ENOENT)
		rc = err_sys(e, ERR_CONF, errno, "operators %.200s", dir);
	while (d && rc == 0 && (it = readdir(d))) {
		size_t n = strlen(it->d_name);

		if (n > 4 && strcmp(it->d_name + n - 4, ".pub") == 0)
			rc = load_one(o, dir, (struct str){it->d_name, n - 4}, it->d_name, e);
	}
	if (d)
		closedir(d);
	if (rc == 0)
		*out = o;
	else
		operators_free(o);
	return rc;
}

void operators_free(struct operators *o)
{
	for (int i = 0; o && i < o->count; i++)
		EVP_PKEY_free(o->at[i].key);
	free(o);
}

int operators_count(const struct operators *o)
{
	return o ? o->count : 0;
}

bool operators_signed(const struct operators *o, struct str name, struct str text, struct str signature)
{
	for (int i = 0; o && i < o->count; i++) {
		EVP_MD_CTX *ctx;
		bool good;

		if (!str_is(name, o->at[i].name))
			continue;
		ctx = EVP_MD_CTX_new();
		good = ctx && signature.p && signature.n == SIGNATURE_LEN &&
		       EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, o->at[i].key) == 1 &&
		       EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p,
					text.n) == 1;
		EVP_MD_CTX_free(ctx);
		return good;
	}
	return false;
}
