/* qiao submit: puts a roster, and its cover where there is one, into the drop folder of a sender,
 * and waits for the receipt.
 *
 * The receipt number follows from sender and content alone, so it is the same however often the
 * same file is handed in. It is shown as a receipt only when the village program has the file
 * safely in its spool; until then it is a number to ask by. The name of the file may hold a
 * person's name: it is written to the drop folder and to the caller's terminal, nowhere else. */
#include "base/clock.h"
#include "base/fs.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "crypto/ids.h"
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_WAIT_S = 10, POLL_MS = 20, REASON_MAX = 1 << 16 };

struct hand_in {
	char folder[CONF_PATH];				 /* <inbox>/<sender> */
	char from[CONF_PATH], to[CONF_PATH];		 /* the roster */
	char cover_from[CONF_PATH], cover_to[CONF_PATH]; /* "" = none */
	char answer[CONF_PATH];	 /* where the village program answers: a roster again, */
	char refusal[CONF_PATH]; /* or a short text */
	char sha256[FILE_DIGEST];
	struct id id;
	char receipt[12];
	bool there; /* the same content lies under this name already */
};
enum taken { NOT_YET, RECEIVED, REFUSED };

static int64_t wait_of(const struct cli *c, const char *text);
static int prepare(struct hand_in *h, const struct cli *c, const char *file, const char *sender,
		   struct err *e);
static int good_sender(const char *sender, struct err *e);
static int good_name(const char *name, struct err *e);
static int find_cover(struct hand_in *h, const char *base, struct err *e);
static int look_at_target(const char *to, const char *sha256, bool replace, bool *same,
			  struct err *e);
static int put_in(const char *from, const char *to, struct err *e);
static int hand_over(struct hand_in *h, const struct cli *c, bool replace, struct err *e);
static enum taken wait_taken(const struct hand_in *h, const struct cli *c, int64_t wait_ms);
static enum taken look(const struct hand_in *h, const struct cli *c);
static int report(const struct hand_in *h, const struct cli *c, enum taken taken);
static void reason_of(const struct hand_in *h, const struct cli *c, struct buf *out);

int cmd_submit(struct cli *c, int argc, char **argv)
{
	const char *sender = NULL, *wait = NULL, *file = NULL;
	bool replace = false;
	const struct cli_option options[] = {{"--sender", &sender, NULL},
					     {"--wait", &wait, NULL},
					     {"--replace", NULL, &replace},
					     {0}};
	int operands = cli_options(c, argc, argv, options, &file, 1);
	struct hand_in *h;
	struct err e = {0};
	int64_t wait_s;
	int rc = EXIT_LATER;

	if (operands < 0)
		return EXIT_USAGE;
	if (operands == 0 || sender == NULL)
		return cli_usage(c, "submit", "submit_usage");
	wait_s = wait_of(c, wait);
	if (wait_s < 0)
		return EXIT_USAGE;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return rc;
	if (prepare(h, c, file, sender, &e) < 0 || hand_over(h, c, replace, &e) < 0)
		rc = cli_fail(&e);
	else
		rc = report(h, c, wait_taken(h, c, wait_s * 1000));
	free(h);
	return rc;
}

static int64_t wait_of(const struct cli *c, const char *text)
{
	int64_t seconds = DEFAULT_WAIT_S;

	if (text && str_int(str_of(text), 0, 3600, &seconds) < 0) {
		cli_usage(c, "submit", "submit_wait");
		return -1;
	}
	return seconds;
}

static int prepare(struct hand_in *h, const struct cli *c, const char *file, const char *sender,
		   struct err *e)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	char digits[11], base[CONF_PATH], answer[CONF_PATH + 32], refusal[CONF_PATH + 32];
	size_t stem = strlen(name);

	if (good_sender(sender, e) < 0 || good_name(name, e) < 0)
		return -1;
	stem -= strlen(".csv");
	snprintf(base, sizeof base, "%.*s", (int)stem, name);
	snprintf(answer, sizeof answer, "%s.回执.csv", base);
	snprintf(refusal, sizeof refusal, "%s.回执.txt", base);
	if (str_copy(h->from, sizeof h->from, str_of(file)) < 0 ||
	    fs_join(h->folder, sizeof h->folder, c->conf.village.inbox, sender) < 0 ||
	    fs_join(h->to, sizeof h->to, h->folder, name) < 0 ||
	    fs_join(h->answer, sizeof h->answer, h->folder, answer) < 0 ||
	    fs_join(h->refusal, sizeof h->refusal, h->folder, refusal) < 0)
		return err_set(e, ERR_PERM, "path too long");
	if (find_cover(h, base, e) < 0 || file_digest(file, h->sha256, e) < 0)
		return -1;
	submission_id(&h->id, str_of(sender), str_of(h->sha256));
	receipt_number(digits, &h->id);
	receipt_text(h->receipt, digits);
	return 0;
}

/* The name becomes a folder and part of every id: no way out of the drop folder, nothing that the
 * village program ignores. */
static int good_sender(const char *sender, struct err *e)
{
	struct str s = str_of(sender);

	if (s.n == 0 || s.n > 60 || sender[0] == '.' || strchr(sender, '/') || !utf8_valid(s))
		return err_set(e, ERR_PERM,
			       "--sender: expected the name of a folder of the drop folder");
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)sender[i] < 0x20)
			return err_set(
				e, ERR_PERM,
				"--sender: expected the name of a folder of the drop folder");
	}
	return 0;
}

static int good_name(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n <= 4 || strcasecmp(name + n - 4, ".csv") != 0)
		return err_set(e, ERR_PERM, "not a .csv file: save the roster as CSV first");
	if (name[0] == '.' || strncmp(name, "~$", 2) == 0)
		return err_set(e, ERR_PERM,
			       "a temporary file of the editor: close it there and hand in the "
			       "file itself");
	return 0;
}

/* Beside the roster: <name>.cover.json, with or without .csv in <name>. */
static int find_cover(struct hand_in *h, const char *base, struct err *e)
{
	const char *slash = strrchr(h->from, '/');
	int folder = slash ? (int)(slash + 1 - h->from) : 0;
	const char *name = h->from + folder;
	char cover[CONF_PATH + 32], path[2 * CONF_PATH + 32];

	for (int i = 0; i < 2; i++) {
		snprintf(cover, sizeof cover, "%s.cover.json", i ? name : base);
		snprintf(path, sizeof path, "%.*s%s", folder, h->from, cover);
		if (!fs_exists(path))
			continue;
		if (str_copy(h->cover_from, sizeof h->cover_from, str_of(path)) < 0 ||
		    fs_join(h->cover_to, sizeof h->cover_to, h->folder, cover) < 0)
			return err_set(e, ERR_PERM, "path too long");
		break;
	}
	return 0;
}

/* Both targets are looked at before either is written: a roster never goes in beside another
 * roster's cover. */
static int hand_over(struct hand_in *h, const struct cli *c, bool replace, struct err *e)
{
	char cover_sha256[FILE_DIGEST];
	bool cover_there = false;
	struct stat st;

	if (stat(h->folder, &st) < 0) {
		if (fs_mkdirs(h->folder, e) < 0)
			return -1;
		cli_warn(c, "submit_new_sender", h->folder, NULL);
	}
	if (look_at_target(h->to, h->sha256, replace, &h->there, e) < 0)
		return -1;
	if (h->cover_to[0] &&
	    (file_digest(h->cover_from, cover_sha256, e) < 0 ||
	     look_at_target(h->cover_to, cover_sha256, replace, &cover_there, e) < 0))
		return -1;
	if (h->cover_to[0] && !cover_there && put_in(h->cover_from, h->cover_to, e) < 0)
		return -1;
	return h->there ? 0 : put_in(h->from, h->to, e);
}

/* Another file under this name is somebody's roster; whether it was taken already cannot be told
 * from here. */
static int look_at_target(const char *to, const char *sha256, bool replace, bool *same,
			  struct err *e)
{
	char there[FILE_DIGEST];

	*same = false;
	if (!fs_exists(to))
		return 0;
	if (file_digest(to, there, e) < 0)
		return -1;
	*same = strcmp(there, sha256) == 0;
	if (*same || replace)
		return 0;
	return err_set(e, ERR_PERM,
		       "%s: a file with other content is there already: give yours another name, "
		       "or use --replace",
		       to);
}

/* Under a .part name first, which the village program ignores: it never sees half a file. */
static int put_in(const char *from, const char *to, struct err *e)
{
	char part[CONF_PATH + 8], folder[CONF_PATH];

	snprintf(part, sizeof part, "%s.part", to);
	str_copy(folder, sizeof folder, (struct str){to, (size_t)(strrchr(to, '/') - to)});
	if (file_copy(from, part, e) < 0)
		return -1;
	if (rename(part, to) == 0)
		return fs_sync_dir(folder, e);
	err_sys(e, fs_class(errno), errno, "%s: rename", to);
	unlink(part);
	return -1;
}

static enum taken wait_taken(const struct hand_in *h, const struct cli *c, int64_t wait_ms)
{
	int64_t start = clock_monotonic();
	struct cli_progress progress;
	enum taken taken;

	cli_progress_start(&progress);
	while ((taken = look(h, c)) == NOT_YET) {
		char seconds[24];

		if (clock_monotonic() - start >= wait_ms)
			break;
		snprintf(seconds, sizeof seconds, "%lld",
			 (long long)(clock_monotonic() - start) / 1000);
		cli_progress(&progress, c, "submit_waiting", seconds, NULL);
		poll(NULL, 0, POLL_MS);
	}
	cli_progress_end(&progress);
	return taken;
}

static enum taken look(const struct hand_in *h, const struct cli *c)
{
	char hex[ID_HEX], name[ID_HEX + 32], path[CONF_PATH];

	id_hex(&h->id, hex);
	snprintf(name, sizeof name, "spool/%s/meta", hex);
	if (cli_path(c, path, name, NULL) == 0 && fs_exists(path))
		return RECEIVED;
	snprintf(name, sizeof name, "refused/%s.reason", hex);
	if (cli_path(c, path, name, NULL) == 0 && fs_exists(path))
		return REFUSED;
	return NOT_YET;
}

static int report(const struct hand_in *h, const struct cli *c, enum taken taken)
{
	static const char *const codes[] = {"submit_not_yet", "submit_received", "submit_refused"};
	static const char *const words[] = {"not_yet", "received", "refused"};
	static const int statuses[] = {EXIT_LATER, EXIT_YES, EXIT_NO};
	const char *answer = taken == REFUSED ? h->refusal : h->answer;
	char hex[ID_HEX];
	struct buf reason;

	buf_init(&reason, REASON_MAX);
	if (taken == REFUSED)
		reason_of(h, c, &reason);
	if (c->json) {
		cli_print_json(json_pack("{s:s, s:s, s:s, s:s, s:s*}", "result", words[taken],
					 "submission", id_hex(&h->id, hex), "receipt", h->receipt,
					 "answer", answer, "reason",
					 taken == REFUSED ? buf_text(&reason) : NULL));
	} else {
		cli_say(c, codes[taken], h->receipt, answer,
			taken == REFUSED ? buf_text(&reason) : "", NULL);
		if (h->there && taken == RECEIVED)
			cli_say(c, "submit_again", NULL);
		if (h->cover_to[0])
			cli_say(c, "submit_cover", NULL);
	}
	buf_fini(&reason);
	return statuses[taken];
}

/* The reason file: a line "code" or "code argument", as the village program wrote it; read as text
 * for a person, with the cure. */
static void reason_of(const struct hand_in *h, const struct cli *c, struct buf *out)
{
	char hex[ID_HEX], name[ID_HEX + 32], path[CONF_PATH], code[64], cure[80];
	struct buf text;
	struct str line, args[1];
	const char *end;
	size_t word;

	buf_init(&text, REASON_MAX);
	snprintf(name, sizeof name, "refused/%s.reason", id_hex(&h->id, hex));
	if (cli_path(c, path, name, NULL) == 0 && fs_read(path, &text, NULL) == 0) {
		line = (struct str){(const char *)text.data, text.len};
		end = line.n ? memchr(line.p, '\n', line.n) : NULL;
		if (end)
			line.n = (size_t)(end - line.p);
		for (word = 0; word < line.n && line.p[word] != ' '; word++)
			;
		args[0] = str_trim((struct str){line.p + word, line.n - word});
		if (str_copy(code, sizeof code, (struct str){line.p, word}) == 0)
			text_fill(out, text_or_code(code, c->lang), args, 1);
		snprintf(cure, sizeof cure, "%s.cure", code);
		if (text_get(cure, c->lang)) {
			buf_put_str(out, "\n");
			text_fill(out, text_get(cure, c->lang), args, 1);
		}
	}
	buf_fini(&text);
}
