#include "http/registry_client.h"
#include "base/secret.h"
#include "http/client.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest answer is a schema text, escaped. VERSIONS_MAX: how many versions of a subject are
 * looked at, from the newest. */
enum { ANSWER_MAX = 1 << 20, PATH_MAX_BYTES = 1024, VERSIONS_MAX = 20 };
enum { HURRIED_CONNECT_MS = 1000, HURRIED_MS = 2000 };
#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"

struct registry_client {
	const struct conf *conf;
	struct http_client *http;
	char message[REGISTRY_WHY]; /* of the last answer that was no 200 */
};

static int authorize(struct registry_client *r, struct err *e);
static int request(struct registry_client *r, const char *what, const char *body,
		   struct http_response *answer, struct err *e);
static int call(struct registry_client *r, json_t **out, int *code, const char *body, struct err *e,
		const char *fmt, ...) __attribute__((format(printf, 6, 7)));
static int judge(struct registry_client *r, int status, const json_t *answer, int *code,
		 struct err *e);
static int nonsense(const struct registry_client *r, struct err *e, const char *what);
static char *schema_body(enum event_type t, struct err *e);
static int take_number(const json_t *answer, const char *name, int32_t *out);
static int mark_in(const json_t *answer, struct schema_mark *out, struct err *e);
static int take_place(struct registry_client *r, enum event_type t, const json_t *answer,
		      struct registry_place *out, struct err *e);
static int find_canonical(struct registry_client *r, enum event_type t, struct registry_place *out,
			  struct err *e);
static void printable(char *out, size_t cap, const char *text);

int registry_client_open(struct registry_client **out, const struct conf *c, bool hurried,
			 struct err *e)
{
	struct registry_client *r = calloc(1, sizeof *r);
	struct conf_peer peer = c->registry.peer;

	if (r == NULL)
		return err_set(e, ERR_TEMP, "schema registry: out of memory");
	r->conf = c;
	if (hurried && peer.connect_timeout_ms > HURRIED_CONNECT_MS)
		peer.connect_timeout_ms = HURRIED_CONNECT_MS;
	if (hurried && peer.timeout_ms > HURRIED_MS)
		peer.timeout_ms = HURRIED_MS;
	if (http_open(&r->http, &peer, ANSWER_MAX, e) != 0) {
		err_wrap(e, "[registry]");
		goto fail;
	}
	http_speak(r->http, MEDIA_TYPE);
	if (authorize(r, e) != 0)
		goto fail;
	*out = r;
	return 0;
fail:
	registry_client_close(r);
	return -1;
}

void registry_client_close(struct registry_client *r)
{
	if (r == NULL)
		return;
	http_close(r->http);
	free(r);
}

void registry_client_stop_when(struct registry_client *r, bool (*asked)(void))
{
	http_stop_when(r->http, asked);
}

const char *registry_subject(char out[REGISTRY_SUBJECT], enum event_type t)
{
	snprintf(out, REGISTRY_SUBJECT, EVENT_NAMESPACE "%s", event_name(t));
	return out;
}

int registry_meaning(struct registry_client *r, int32_t id, struct schema_mark *out, struct err *e)
{
	json_t *answer = NULL;
	int code, rc, status = call(r, &answer, &code, NULL, e, "/schemas/ids/%" PRId32, id);

	if (status < 0)
		return -1;
	if (status != 200)
		rc = code == 40403 ? 0 : nonsense(r, e, "an error that does not fit the question");
	else if (!json_is_string(json_object_get(answer, "schema")))
		rc = nonsense(r, e, "an answer without a schema");
	else
		rc = mark_in(answer, out, e) == 0 ? 1 : -1;
	json_decref(answer);
	return rc;
}

int registry_find(struct registry_client *r, enum event_type t, struct registry_place *out,
		  struct err *e)
{
	char subject[REGISTRY_SUBJECT], *body = schema_body(t, e);
	json_t *answer = NULL;
	int code, rc, status;

	if (body == NULL)
		return -1;
	status = call(r, &answer, &code, body, e, "/subjects/%s", registry_subject(subject, t));
	free(body);
	if (status < 0)
		return -1;
	if (status == 200)
		rc = take_place(r, t, answer, out, e) == 0 ? 1 : -1;
	else if (code == 40401)
		rc = 0;
	else if (code == 40403)
		rc = find_canonical(r, t, out, e);
	else if (status == 422)
		rc = err_set(e, ERR_PERM, "schema registry: %s: not taken for a schema: %s",
			     event_name(t), r->message);
	else
		rc = nonsense(r, e, "an error that does not fit the question");
	json_decref(answer);
	return rc;
}

int registry_fits(struct registry_client *r, enum event_type t, char why[REGISTRY_WHY],
		  struct err *e)
{
	char subject[REGISTRY_SUBJECT], *body = schema_body(t, e);
	json_t *answer = NULL;
	const json_t *yes;
	int code, rc, status;

	why[0] = '\0';
	if (body == NULL)
		return -1;
	status = call(r, &answer, &code, body, e,
		      "/compatibility/subjects/%s/versions/latest?verbose=true",
		      registry_subject(subject, t));
	free(body);
	if (status < 0)
		return -1;
	yes = json_object_get(answer, "is_compatible");
	if (status == 404 && (code == 40401 || code == 40402)) {
		rc = 1; /* a new subject */
	} else if (status == 422) {
		printable(why, REGISTRY_WHY, r->message);
		rc = 0;
	} else if (status != 200 || !json_is_boolean(yes)) {
		rc = nonsense(r, e, "no yes or no to a question of compatibility");
	} else {
		const json_t *said = json_array_get(json_object_get(answer, "messages"), 0);

		if (json_is_string(said))
			printable(why, REGISTRY_WHY, json_string_value(said));
		rc = json_is_true(yes);
	}
	json_decref(answer);
	return rc;
}

int registry_register(struct registry_client *r, enum event_type t, struct registry_place *out,
		      struct err *e)
{
	char subject[REGISTRY_SUBJECT], *body = schema_body(t, e);
	json_t *answer = NULL;
	int code, found, rc = -1, status;
	int32_t id;

	if (body == NULL)
		return -1;
	status = call(r, &answer, &code, body, e, "/subjects/%s/versions",
		      registry_subject(subject, t));
	free(body);
	if (status == 409)
		err_set(e, ERR_PERM,
			"schema registry: %s: incompatible with what is registered: %s", subject,
			r->message);
	else if (status == 422)
		err_set(e, ERR_PERM, "schema registry: %s: not taken for a schema: %s", subject,
			r->message);
	else if (status == 404)
		nonsense(r, e, "that there is no such thing to register with");
	else if (status == 200 && take_number(answer, "id", &id) != 0)
		nonsense(r, e, "no id for a schema that was to be registered");
	else if (status == 200)
		rc = 0;
	json_decref(answer);
	if (rc != 0)
		return -1;
	found = registry_find(r, t, out, e);
	if (found < 0)
		return -1;
	if (found == 0 || out->id != id)
		return nonsense(r, e, "another id than it gave when it registered the schema");
	return 0;
}

/* A subject has a level of its own only where somebody gave it one. Without defaultToGlobal Apicurio
 * says NONE for the others, and Confluent's says 404; an old one says 404 in any case. */
int registry_level(struct registry_client *r, enum event_type t, char out[REGISTRY_LEVEL],
		   struct err *e)
{
	char subject[REGISTRY_SUBJECT];
	json_t *answer = NULL;
	int code, rc = -1, status;
	const char *level;

	status = call(r, &answer, &code, NULL, e, "/config/%s?defaultToGlobal=true",
		      registry_subject(subject, t));
	if (status == 404) {
		json_decref(answer);
		answer = NULL;
		status = call(r, &answer, &code, NULL, e, "/config");
	}
	if (status < 0)
		return -1;
	level = json_string_value(json_object_get(answer, "compatibilityLevel"));
	if (status != 200 || level == NULL || strlen(level) >= REGISTRY_LEVEL)
		nonsense(r, e, "no level of compatibility");
	else
		rc = 0;
	if (rc == 0)
		printable(out, REGISTRY_LEVEL, level);
	json_decref(answer);
	return rc;
}

/* ---- who we are ---- */

static int authorize(struct registry_client *r, struct err *e)
{
	const char *user = r->conf->registry.user, *token = r->conf->registry.token_file;
	char secret[SECRET_MAX];
	int rc = 0;

	if (strchr(user, ':')) /* would end there */
		return err_set(e, ERR_CONF, "[registry] user: must not hold a colon");
	if (user[0]) {
		rc = secret_read(r->conf->registry.password_file, "[registry] password_file", secret, e);
		rc = rc ? rc : http_authorize(r->http, user, secret, e);
	} else if (token[0]) {
		rc = secret_read(token, "[registry] token_file", secret, e);
		rc = rc ? rc : http_authorize(r->http, NULL, secret, e);
	}
	explicit_bzero(secret, sizeof secret);
	return rc;
}

/* ---- one exchange ---- */

/* Gives the status, with its answer in *out (the caller's): 200, or 404, 409, 422 with the
 * registry's own code in *code. -1: *e. The path is made from fmt. */
static int call(struct registry_client *r, json_t **out, int *code, const char *body, struct err *e,
		const char *fmt, ...)
{
	char path[PATH_MAX_BYTES];
	size_t n = strlen(r->conf->registry.path);
	struct http_response answer;
	json_error_t why;
	va_list ap;
	int more, status;

	memcpy(path, r->conf->registry.path, n); /* shorter than CONF_PATH */
	va_start(ap, fmt);
	more = vsnprintf(path + n, sizeof path - n, fmt, ap);
	va_end(ap);
	if (more < 0 || (size_t)more >= sizeof path - n)
		return err_set(e, ERR_CONF, "[registry] url: too long");
	if (request(r, path, body, &answer, e) != 0)
		return -1;
	*out = json_loadb(answer.body.p, answer.body.n, JSON_REJECT_DUPLICATES, &why);
	status = judge(r, answer.status, *out, code, e);
	if (status < 0) {
		json_decref(*out);
		*out = NULL;
	}
	return status;
}

static int request(struct registry_client *r, const char *path, const char *body,
		   struct http_response *answer, struct err *e)
{
	struct err why = {0};

	if (http_request(r->http, path, str_of(body), NULL, answer, &why) == HTTP_ANSWERED)
		return 0;
	if (strcmp(answer->why, "too_large") == 0)
		return nonsense(r, e, "an answer larger than any schema");
	return err_set(e, ERR_TEMP, "[registry] url %.100s: no answer: %.250s",
		       r->conf->registry.peer.url, why.text);
}

static int judge(struct registry_client *r, int status, const json_t *answer, int *code,
		 struct err *e)
{
	const char *url = r->conf->registry.peer.url;
	const json_t *number = json_object_get(answer, "error_code");
	const char *message = json_string_value(json_object_get(answer, "message"));

	*code = json_is_integer(number) && json_integer_value(number) < 100000
			? (int)json_integer_value(number)
			: 0;
	printable(r->message, sizeof r->message, message ? message : "");
	if (status == 401 || status == 403)
		return err_set(e, ERR_CONF,
			       "[registry] url %.100s: does not let us in (%d): check [registry] "
			       "user and password_file, token_file, or cert and key, and what they "
			       "permit there",
			       url, status);
	if (status >= 500 || status == 429 || status == 408)
		return err_set(e, ERR_TEMP, "[registry] url %.100s: has trouble (%d) %.150s", url,
			       status, r->message);
	if (status == 200)
		return answer ? 200 : nonsense(r, e, "something that is not JSON");
	if (status == 404 && *code / 100 != 404)
		return nonsense(r, e, "404 to a path that every schema registry has");
	if ((status == 404 || status == 409 || status == 422) && *code > 0)
		return status;
	return nonsense(r, e, "a status that no schema registry gives");
}

static int nonsense(const struct registry_client *r, struct err *e, const char *what)
{
	return err_set(e, ERR_CONF,
		       "[registry] url %.100s%.60s: is no schema registry of Confluent's kind: it "
		       "answered with %s; check host, port and path (Apicurio: /apis/ccompat/v7)",
		       r->conf->registry.peer.url, r->conf->registry.path, what);
}

/* ---- what is in an answer ---- */

/* {"schema": text}; the caller frees. */
static char *schema_body(enum event_type t, struct err *e)
{
	struct str text = event_schema(t);
	json_t *body = json_pack("{s:s%}", "schema", text.p, text.n);
	char *out = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (out == NULL)
		err_set(e, ERR_TEMP, "schema registry: out of memory");
	return out;
}

static int take_number(const json_t *answer, const char *name, int32_t *out)
{
	const json_t *number = json_object_get(answer, name);

	if (!json_is_integer(number) || json_integer_value(number) < 1 ||
	    json_integer_value(number) > INT32_MAX)
		return -1;
	*out = (int32_t)json_integer_value(number);
	return 0;
}

/* ERR_TEMP only: whatever the text is, it is the registry's meaning. */
static int mark_in(const json_t *answer, struct schema_mark *out, struct err *e)
{
	const json_t *text = json_object_get(answer, "schema");
	const char *kind = json_string_value(json_object_get(answer, "schemaType"));
	struct str avsc = {json_string_value(text), json_string_length(text)};
	struct err why = {0};

	*out = (struct schema_mark){.name = "(no record of Avro)"};
	if (kind && strcmp(kind, "AVRO") != 0)
		return 0;
	if (schema_mark_of(out, avsc, &why) == 0)
		return 0;
	*out = (struct schema_mark){.name = "(no record of Avro)"};
	if (why.class == ERR_TEMP) {
		*e = why;
		return -1;
	}
	return 0;
}

/* {subject, id, version, schema} of our schema; anything else is no answer to the question. */
static int take_place(struct registry_client *r, enum event_type t, const json_t *answer,
		      struct registry_place *out, struct err *e)
{
	struct schema_mark own, there;
	char subject[REGISTRY_SUBJECT];
	const char *name = json_string_value(json_object_get(answer, "subject"));

	if (take_number(answer, "id", &out->id) != 0 ||
	    take_number(answer, "version", &out->version) != 0 || name == NULL ||
	    strcmp(name, registry_subject(subject, t)) != 0 ||
	    !json_is_string(json_object_get(answer, "schema")))
		return nonsense(r, e, "something else than id, version, subject and schema");
	if (schema_mark_of(&own, event_schema(t), e) != 0 || mark_in(answer, &there, e) != 0)
		return -1;
	if (!schema_mark_eq(&own, &there))
		return nonsense(r, e, "another schema than it was asked for");
	return 0;
}

/* Looks for a version with another text and the same canonical form: other comments, say. 1 or 0.
 */
static int find_canonical(struct registry_client *r, enum event_type t, struct registry_place *out,
			  struct err *e)
{
	struct schema_mark own, there;
	char subject[REGISTRY_SUBJECT];
	json_t *versions = NULL;
	int code, rc = 0, status;
	size_t left;

	if (schema_mark_of(&own, event_schema(t), e) != 0)
		return -1;
	status = call(r, &versions, &code, NULL, e, "/subjects/%s/versions",
		      registry_subject(subject, t));
	if (status < 0)
		return -1;
	if (status != 200 || !json_is_array(versions))
		rc = status == 404 ? 0 : nonsense(r, e, "no list of versions");
	left = json_array_size(versions);
	for (int i = 0; rc == 0 && left > 0 && i < VERSIONS_MAX; i++) {
		json_int_t version = json_integer_value(json_array_get(versions, --left));
		json_t *answer = NULL;

		status = call(r, &answer, &code, NULL, e,
			      "/subjects/%s/versions/%" JSON_INTEGER_FORMAT, subject, version);
		if (status < 0 || (status == 200 && mark_in(answer, &there, e) != 0))
			rc = -1;
		else if (status == 200 && schema_mark_eq(&own, &there))
			rc = take_place(r, t, answer, out, e) == 0 ? 1 : -1;
		if (status >= 0)
			json_decref(answer);
	}
	json_decref(versions);
	return rc;
}

/* Words of a stranger, for an error text or a terminal. */
static void printable(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < cap; n++)
		out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out[n] = '\0';
}
