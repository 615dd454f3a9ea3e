/* A cover is small: it is read whole, checked whole, and all its mistakes are told at once. */
#include "adapters/village/cover.h"
#include "adapters/village/refusal.h"
#include "adapters/village/take.h"
#include "adapters/village/tell.h"
#include "base/date.h"
#include "crypto/ids.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 32 << 10 };

static int read_whole(const struct drop *f, struct buf *out, bool *too_large, struct err *e);
static int accept_cover(struct village_role *v, const struct drop *f, const struct id *id,
			struct cover *c, struct str json, struct err *e);
static int refuse_cover(struct village_role *v, const struct drop *f, const struct id *id,
			const struct refusal *why, struct str json, struct str wrong,
			struct err *e);
static int tell_accepted(struct village_role *v, const struct drop *f, const struct id *submission,
			 bool is_plan, struct err *e);
static void cover_id(struct id *id, const struct drop *f, struct str json, bool too_large);

int take_cover(struct village_role *v, const struct drop *f, struct err *e)
{
	struct cover c;
	struct refusal why = {0};
	struct buf json, wrong;
	struct spool_cover known;
	const char *code = NULL;
	bool too_large = false;
	struct str text;
	struct id id;
	int rc = -1;

	buf_init(&json, COVER_BYTES_MAX);
	buf_init(&wrong, TEXT_MAX);
	if (read_whole(f, &json, &too_large, e) < 0)
		goto out;
	text = (struct str){(char *)json.data, json.len};
	cover_id(&id, f, text, too_large);
	if (spool_has_cover(&v->spool, &id)) {
		if (spool_get_cover(&v->spool, &id, &known, e) < 0)
			goto out;
		village_count(v, C_COVERS_AGAIN, 1);
		rc = tell_accepted(v, f, &known.submission, cover_is_plan(text), e);
		goto out;
	}
	if (too_large)
		refusal_set(&why, "cover_too_large", "%d", COVER_BYTES_MAX >> 10);
	else if (cover_parse(&c, text, v->reference, date_of_time(clock_now(&v->role->clock)),
			     &wrong, &code) < 0)
		refusal_set(&why, code, "%s", "");
	if (why.code) {
		rc = refuse_cover(v, f, &id, &why, text,
				  (struct str){(char *)wrong.data, wrong.len}, e);
	} else {
		rc = accept_cover(v, f, &id, &c, text, e);
		cover_close(&c);
	}
out:
	if (json.data)
		explicit_bzero(json.data, json.cap);
	buf_fini(&json);
	buf_fini(&wrong);
	return rc;
}

int village_reserve_cover(struct village_role *v, struct err *e)
{
	int cap = v->cover_cap ? 2 * v->cover_cap : 16;
	struct id *more;

	if (v->cover_count < v->cover_cap)
		return 0;
	more = realloc(v->covers, sizeof *more * (size_t)cap);
	if (more == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "covers");
	v->covers = more;
	v->cover_cap = cap;
	return 0;
}

static int read_whole(const struct drop *f, struct buf *out, bool *too_large, struct err *e)
{
	int fd = openat(f->folder, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	uint8_t *to = NULL;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_sys(e, ERR_TEMP, errno, "a cover of %s: open", f->sender);
		goto out;
	}
	to = buf_reserve(out, COVER_BYTES_MAX);
	if (to == NULL) {
		err_sys(e, ERR_TEMP, ENOMEM, "cover");
		goto out;
	}
	*too_large = st.st_size > COVER_BYTES_MAX;
	while ((n = read(fd, out->data + out->len, COVER_BYTES_MAX - out->len)) > 0)
		out->len += (size_t)n;
	if (n < 0)
		err_sys(e, ERR_TEMP, errno, "a cover of %s: read", f->sender);
out:
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* By content, like a roster; of a file that is too large its beginning has to do. */
static void cover_id(struct id *id, const struct drop *f, struct str json, bool too_large)
{
	struct str parts[] = {STR("cover"), str_of(f->sender), json,
			      too_large ? STR("large") : STR("")};

	id_make(id, parts, 4);
}

/* Room for it among those that wait to be published is made first: an accepted cover that is not
 * published before the next restart would look like a lost one. */
static int accept_cover(struct village_role *v, const struct drop *f, const struct id *id,
			struct cover *c, struct str json, struct err *e)
{
	struct spool_cover meta = {.cover = *id, .state = SPOOL_SPOOLED};
	char hex[ID_HEX], roster[ID_HEX];

	str_copy(meta.sender, sizeof meta.sender, str_of(f->sender));
	if (c->is_plan)
		meta.submission = c->plan.plan_id; /* what it is about */
	else
		submission_id(&meta.submission, str_of(f->sender), str_of(c->roster_sha256));
	meta.received_at = clock_now(&v->role->clock);
	if (village_reserve_cover(v, e) < 0 || spool_put_cover(&v->spool, &meta, json, e) < 0)
		return -1;
	v->covers[v->cover_count++] = *id;
	village_count(v, C_COVERS_TAKEN, 1);
	log_info("COVER-TAKEN",
		 "cover=%s %s=%s sender=%s year=%d sponsor_type=%.*s gates=%d",
		 id_hex(id, hex), c->is_plan ? "plan" : "submission",
		 id_hex(&meta.submission, roster), f->sender,
		 (int)(c->is_plan ? c->plan.first_year : c->event.year),
		 (int)c->event.sponsor_type.n, c->event.sponsor_type.p, (int)c->event.gate_count);
	spool_unrefuse(&v->spool, id);
	return tell_accepted(v, f, &meta.submission, c->is_plan, e);
}

/* An answer that cannot be written now must not make the cover be taken twice: it is there
 * already, and found as known. */
static int tell_accepted(struct village_role *v, const struct drop *f, const struct id *submission,
			 bool is_plan, struct err *e)
{
	struct submission *s = submissions_find(&v->submissions, submission);
	char ten[11], receipt[12];
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX);
	receipt_number(ten, submission);
	rc = is_plan ? buf_put_str(&text,
				   "方案资料已收到。\n本村（居）的名册自动对上，不用再交；方案变更的，请另交一份新的"
				   "方案资料，以最后收到的为准，已申报的名册不受影响。\n")
		     : buf_printf(&text,
			"封面资料已收到。\n所属名册的收件号：%s\n所属名册：%"
			"s\n办理情况见名册旁的回执；补交或改正手续日期，"
			"请另交一份新的封面资料，以最后收到的为准。\n",
			receipt_text(receipt, ten),
			s ? "已收到"
			  : "尚未收到。名册交到同一文件夹后自动对上，封面资料不用再交；如已交过名册"
			    "，请核对 roster_sha256 "
			    "是否与名册回执中的“名册摘要”一致");
	rc = rc < 0 ? err_sys(e, ERR_TEMP, ENOMEM, "cover")
		    : tell(f->folder, f->name, ".json", (struct str){(char *)text.data, text.len},
			   e);
	buf_fini(&text);
	return rc;
}

/* Aside like a roster, sealed: an individual's cover holds a name and a number. */
static int refuse_cover(struct village_role *v, const struct drop *f, const struct id *id,
			const struct refusal *why, struct str json, struct str wrong, struct err *e)
{
	struct spool_writer *w = NULL;
	struct buf text, reason;
	char hex[ID_HEX];
	int rc = -1;

	buf_init(&text, TEXT_MAX + 1024);
	buf_init(&reason, 1024);
	if (refusal_reason(why, &reason) < 0 ||
	    buf_put_str(&text, "封面资料没有收下，请改正以下各处后重新提交：\n") < 0 ||
	    (wrong.n > 0 ? buf_put(&text, wrong.p, wrong.n) : refusal_text(why, &text)) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "cover");
		goto out;
	}
	if (spool_begin(&v->spool, id, &w, e) < 0)
		goto out;
	if (spool_add(w, json.p, json.n, e) < 0) {
		spool_drop(&w);
		goto out;
	}
	if (spool_refuse(&w, (struct str){(char *)reason.data, reason.len}, e) < 0)
		goto out;
	village_count(v, C_COVERS_REFUSED, 1);
	log_warn("COVER-REFUSED", "cover=%s sender=%s code=%s", id_hex(id, hex), f->sender,
		 why->code);
	rc = tell(f->folder, f->name, ".json", (struct str){(char *)text.data, text.len}, e);
out:
	buf_fini(&text);
	buf_fini(&reason);
	return rc;
}
