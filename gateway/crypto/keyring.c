/* The key folders: who may hold what, checked before anything is read, and `qiao keygen`.
 *
 * A role that could read more than it needs is refused at start: the rule "the gateway works on
 * tokens alone" must not rest on a copy that somebody forgot. */
#include "crypto/keyring.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PATH 1024
#define KEY_TEXT (2 * KEY_LEN + 1) /* hex digits and a newline */

enum { HAS_TOKEN = 1, HAS_SEAL = 2, HAS_SPOOL = 4 };
static const struct {
	const char *name;
	unsigned has;
} roles[] = {
	{"village", HAS_TOKEN | HAS_SEAL | HAS_SPOOL},
	{"tax", HAS_TOKEN | HAS_SEAL},
	{"ssa", HAS_TOKEN | HAS_SEAL},
	{"trace", HAS_TOKEN},
	{"gateway", 0},
};
#define ROLES (int)(sizeof(roles) / sizeof(roles[0]))
_Static_assert(sizeof(roles) / sizeof(roles[0]) == ROLE_COUNT, "ROLE_COUNT");

/* The role's place in the table, or -1. */
static int role_of(const char *name, struct err *e)
{
	for (int i = 0; i < ROLES; i++)
		if (strcmp(roles[i].name, name) == 0)
			return i;
	return err_set(e, ERR_CONF, "keys: no such role: %s", name);
}

static int join(char path[KEY_PATH], const char *dir, const char *name, struct err *e)
{
	return fs_join(path, KEY_PATH, dir, name) == 0
		       ? 0
		       : err_set(e, ERR_CONF, "keys: path too long");
}

/* Which key a file name stands for: 0 when it is none of ours. */
static unsigned key_kind(const char *name, int *year)
{
	int64_t y;
	size_t n = strlen(name);

	*year = 0;
	if (strcmp(name, "token.key") == 0)
		return HAS_TOKEN;
	if (strcmp(name, "spool.key") == 0)
		return HAS_SPOOL;
	if (n != strlen("seal-2026.key") || strncmp(name, "seal-", 5) != 0 ||
	    strcmp(name + 9, ".key") != 0 ||
	    str_int((struct str){name + 5, 4}, 1900, 9999, &y) != 0)
		return 0;
	*year = (int)y;
	return HAS_SEAL;
}

int destroyed_year(const char *name)
{
	int64_t y;

	if (strlen(name) != strlen("seal-2026.destroyed") || strncmp(name, "seal-", 5) != 0 || strcmp(name + 9, ".destroyed") != 0 ||
	    str_int((struct str){name + 5, 4}, 1900, 9999, &y) != 0)
		return -1;
	return (int)y;
}

bool role_seals(int role, const char **name)
{
	*name = roles[role].name;
	return (roles[role].has & HAS_SEAL) != 0;
}

/* Opens a key file that only its user can read, and reads its key. ERR_CONF, or ERR_TEMP when
 * the disk fails. */
static int read_key(const char *path, uint8_t key[KEY_LEN], struct err *e)
{
	char text[KEY_TEXT + 1];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), rc = -1;

	if (fd < 0)
		return err_sys(e, ERR_CONF, errno, "key %s", path);
	if (fstat(fd, &st) != 0) {
		err_sys(e, ERR_TEMP, errno, "key %s", path);
	} else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		err_set(e, ERR_CONF, "key %s: must be a file of this user with mode 0600", path);
	} else if ((n = read(fd, text, sizeof(text))) < 0) {
		err_sys(e, ERR_TEMP, errno, "key %s", path);
	} else if (n != KEY_TEXT || text[KEY_TEXT - 1] != '\n' ||
		   hex_get(key, KEY_LEN, (struct str){text, KEY_TEXT - 1}) != 0) {
		err_set(e, ERR_CONF, "key %s: must be %d hex digits and a newline", path,
			2 * KEY_LEN);
	} else {
		rc = 0;
	}
	OPENSSL_cleanse(text, sizeof(text));
	close(fd);
	return rc;
}

static int add_key(struct keyring *k, unsigned kind, int year, const uint8_t key[KEY_LEN],
		   struct err *e)
{
	if (kind == HAS_TOKEN)
		return token_key_init(&k->token, key, e);
	if (kind == HAS_SPOOL)
		return seal_key_init(&k->spool, 0, key, e);
	if (k->seal_count == SEAL_YEARS_MAX)
		return err_set(e, ERR_CONF, "keys: more than %d years", SEAL_YEARS_MAX);
	if (seal_key_init(&k->seals[k->seal_count], year, key, e) != 0)
		return -1;
	k->seal_count++;
	return 0;
}

static int add_destroyed(struct keyring *k, int year, struct err *e)
{
	if (k->destroyed_count == SEAL_YEARS_MAX)
		return err_set(e, ERR_CONF, "keys: more than %d destroyed years", SEAL_YEARS_MAX);
	k->destroyed[k->destroyed_count++] = year;
	return 0;
}

/* A destruction that was cut short may have left the key beside its mark: it is not used. */
static void drop_destroyed(struct keyring *k)
{
	int kept = 0;

	for (int i = 0; i < k->seal_count; i++) {
		if (seal_year_destroyed(k, k->seals[i].year))
			seal_key_fini(&k->seals[i]);
		else
			k->seals[kept++] = k->seals[i];
	}
	k->seal_count = kept;
}

static int compare_years(const void *a, const void *b)
{
	const struct seal_key *x = a, *y = b;

	return (x->year > y->year) - (x->year < y->year);
}

/* Reads every file of the folder into k; *found is the set of kinds that were there. */
static int read_folder(struct keyring *k, const char *folder, unsigned has, unsigned *found,
		       struct err *e)
{
	DIR *d = opendir(folder);
	struct dirent *at;
	int rc = -1;

	if (d == NULL)
		return err_sys(e, ERR_CONF, errno, "keys %s", folder);
	while ((at = readdir(d)) != NULL) {
		char path[KEY_PATH];
		uint8_t key[KEY_LEN];
		int year, bad, gone = has & HAS_SEAL ? destroyed_year(at->d_name) : -1;
		unsigned kind = key_kind(at->d_name, &year);

		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		if (gone > 0) {
			if (add_destroyed(k, gone, e) != 0)
				goto out;
			*found |= HAS_SEAL;
			continue;
		}
		if ((kind & has) == 0) {
			err_set(e, ERR_CONF, "keys %s: %s does not belong to this role", folder,
				at->d_name);
			goto out;
		}
		if (join(path, folder, at->d_name, e) != 0 || read_key(path, key, e) != 0)
			goto out;
		bad = add_key(k, kind, year, key, e);
		OPENSSL_cleanse(key, sizeof(key));
		if (bad != 0)
			goto out;
		*found |= kind;
	}
	drop_destroyed(k);
	/* In the order of years, whatever the order of the folder: the search begins at the
	 * latest. */
	qsort(k->seals, (size_t)k->seal_count, sizeof(k->seals[0]), compare_years);
	rc = 0;
out:
	closedir(d);
	return rc;
}

/* With a user a role, no role may look into the folder of another. Search permission alone is
 * enough to read a known name. */
static int check_others(const char *dir, int role, struct err *e)
{
	for (int i = 0; i < ROLES; i++) {
		char path[KEY_PATH];

		if (i == role)
			continue;
		if (join(path, dir, roles[i].name, e) != 0)
			return -1;
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ||
		    faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
			return err_set(e, ERR_CONF,
				       "keys %s: can be read by the user of the role %s", path,
				       roles[role].name);
	}
	return 0;
}

/* The folder itself, before what is in it: with a wider mode somebody else could put another key
 * there. */
static int check_folder(const char *folder, bool *there, struct err *e)
{
	struct stat st;

	*there = lstat(folder, &st) == 0;
	if (!*there)
		return errno == ENOENT ? 0 : err_sys(e, ERR_CONF, errno, "keys %s", folder);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(e, ERR_CONF, "keys %s: must be a folder of this user with mode 0700",
			       folder);
	return 0;
}

int keyring_open(struct keyring **out, const char *dir, const char *role, bool separate_users,
		 struct err *e)
{
	char folder[KEY_PATH];
	unsigned found = 0;
	bool there = false;
	int r = role_of(role, e);
	struct keyring *k;

	if (r < 0 || join(folder, dir, role, e) != 0 || check_folder(folder, &there, e) != 0)
		return -1;
	if (separate_users && check_others(dir, r, e) != 0)
		return -1;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_set(e, ERR_TEMP, "keys: out of memory");
	if (!there && roles[r].has != 0) {
		err_set(e, ERR_CONF, "keys %s: missing; make them with: qiao keygen", folder);
	} else if (!there || read_folder(k, folder, roles[r].has, &found, e) == 0) {
		if (found == roles[r].has) {
			*out = k;
			return 0;
		}
		err_set(e, ERR_CONF, "keys %s: %s is missing; add it with: qiao keygen", folder,
			(roles[r].has & ~found & HAS_TOKEN) != 0  ? "token.key"
			: (roles[r].has & ~found & HAS_SEAL) != 0 ? "any seal-<year>.key"
								  : "spool.key");
	}
	keyring_free(k);
	return -1;
}

bool seal_year_destroyed(const struct keyring *k, int year)
{
	for (int i = 0; i < k->destroyed_count; i++)
		if (k->destroyed[i] == year)
			return true;
	return false;
}

int keyring_check(const char *dir, const char *role, bool separate_users, struct err *e)
{
	struct keyring *k = NULL;
	int rc = keyring_open(&k, dir, role, separate_users, e);

	keyring_free(k);
	return rc;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	EVP_MAC_CTX_free(k->token); /* the library wipes the keys in its contexts */
	for (int i = 0; i < k->seal_count; i++)
		seal_key_fini(&k->seals[i]);
	seal_key_fini(&k->spool);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

/* The key that roles already share under this name, or a new one; two roles with different keys
 * are an error. */
static int shared_key(const char *dir, const char *name, unsigned kind, uint8_t key[KEY_LEN],
		      struct err *e)
{
	bool have = false;

	for (int i = 0; i < ROLES; i++) {
		char folder[KEY_PATH], path[KEY_PATH];
		uint8_t other[KEY_LEN];
		bool differs;

		if ((roles[i].has & kind) == 0)
			continue;
		if (join(folder, dir, roles[i].name, e) != 0 || join(path, folder, name, e) != 0)
			return -1;
		if (!fs_exists(path))
			continue;
		if (read_key(path, other, e) != 0)
			return -1;
		differs = have && CRYPTO_memcmp(key, other, KEY_LEN) != 0;
		memcpy(key, other, KEY_LEN);
		OPENSSL_cleanse(other, KEY_LEN);
		if (differs)
			return err_set(
				e, ERR_CONF,
				"key %s: another than that of another role; nothing was changed",
				path);
		have = true;
	}
	if (!have)
		random_bytes(key, KEY_LEN);
	return 0;
}

/* Writes the key for each role that needs it and lacks it. An interrupted run is mended by the
 * next one: what a role has already is what the others get. */
static int give_key(const char *dir, const char *name, unsigned kind, struct err *e)
{
	uint8_t key[KEY_LEN] = {0};
	char text[KEY_TEXT + 1];
	int rc = shared_key(dir, name, kind, key, e);

	hex_put(text, key, KEY_LEN);
	text[KEY_TEXT - 1] = '\n';
	for (int i = 0; rc == 0 && i < ROLES; i++) {
		char folder[KEY_PATH], path[KEY_PATH];

		if ((roles[i].has & kind) == 0)
			continue;
		rc = join(folder, dir, roles[i].name, e);
		if (rc == 0)
			rc = join(path, folder, name, e);
		if (rc == 0 && !fs_exists(path)) {
			rc = fs_mkdirs(folder, e);
			if (rc == 0)
				rc = fs_write_durable(path, text, KEY_TEXT, 0600, e);
		}
	}
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

/* In any role's folder. */
static int year_destroyed(const char *dir, int year, bool *destroyed, struct err *e)
{
	char folder[KEY_PATH], path[KEY_PATH], name[32];

	*destroyed = false;
	snprintf(name, sizeof(name), "seal-%04d.destroyed", year);
	for (int i = 0; i < ROLES; i++) {
		if (join(folder, dir, roles[i].name, e) != 0 || join(path, folder, name, e) != 0)
			return -1;
		*destroyed = *destroyed || fs_exists(path);
	}
	return 0;
}

/* The token key comes first and is never replaced: another one would make every person somebody
 * else. */
int keygen(const char *dir, int first_year, int last_year, struct err *e)
{
	if (first_year < 1900 || last_year > 9999 || first_year > last_year ||
	    last_year - first_year >= SEAL_YEARS_MAX)
		return err_set(e, ERR_PERM, "keygen: years %d to %d", first_year, last_year);
	if (fs_mkdirs(dir, e) != 0 || give_key(dir, "token.key", HAS_TOKEN, e) != 0 ||
	    give_key(dir, "spool.key", HAS_SPOOL, e) != 0)
		return -1;
	for (int year = first_year; year <= last_year; year++) {
		char name[24];
		bool destroyed;

		if (year_destroyed(dir, year, &destroyed, e) != 0)
			return -1;
		if (destroyed)
			continue;
		snprintf(name, sizeof(name), "seal-%04d.key", year);
		if (give_key(dir, name, HAS_SEAL, e) != 0)
			return -1;
	}
	return 0;
}
