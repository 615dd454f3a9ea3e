/* An event as a message of Kafka and back: key as it is, value as it is, CloudEvents attributes as headers. Numbers and ids are
 * written by hand: this runs for every event. */
#include "base/date.h"
#include "bus/kafka_inside.h"
#include "crypto/ids.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 64, TIME_LEN = 24, TRACE_LEN = 55 };
#define TYPE_HEAD "cn.keqiao.qiao."
#define TYPE_FOOT ".v1"
#define TIME_MIN INT64_C(-62135596800000)
#define TIME_MAX INT64_C(253402300799999)

/* The constant headers of one record type of this program. */
struct kafka_kinds {
	int count;
	struct {
		char type[64], ledger[96];
		rd_kafka_headers_t *headers;
	} at[KINDS_MAX];
};

static rd_kafka_headers_t *constant_headers(const struct kafka *k, struct str type);
static void add(rd_kafka_headers_t *h, const char *name, const char *value, size_t n);
static void put_time(char out[TIME_LEN], int64_t ms);
static int get_time(struct str s, int64_t *ms);
static bool read_headers(rd_kafka_headers_t *h, struct bus_record *out);

rd_kafka_headers_t *event_headers(struct kafka *k, struct kafka_kinds **kinds, const struct topic *t, const struct bus_event *ev)
{
	char id[ID_HEX], trace[ID_HEX], text[TRACE_LEN + 1], time[TIME_LEN];
	rd_kafka_headers_t *h = NULL;

	(void)t;
	if (*kinds == NULL && (*kinds = calloc(1, sizeof **kinds)) == NULL)
		return NULL;
	for (int i = 0; i < (*kinds)->count && h == NULL; i++)
		if (str_is(ev->type, (*kinds)->at[i].type) && strcmp(k->ledger, (*kinds)->at[i].ledger) == 0)
			h = (*kinds)->at[i].headers;
	if (h == NULL) {
		int i = (*kinds)->count < KINDS_MAX ? (*kinds)->count++ : KINDS_MAX - 1;

		if ((*kinds)->at[i].headers)
			rd_kafka_headers_destroy((*kinds)->at[i].headers);
		h = (*kinds)->at[i].headers = constant_headers(k, ev->type);
		str_copy((*kinds)->at[i].type, sizeof (*kinds)->at[i].type, ev->type);
		str_copy((*kinds)->at[i].ledger, sizeof (*kinds)->at[i].ledger, str_of(k->ledger));
	}
	h = rd_kafka_headers_copy(h);
	if (h == NULL)
		return NULL;
	id_hex(&ev->id, id);
	id_hex(&ev->trace, trace);
	put_time(time, ev->time_ms);
	memcpy(text, "00-", 3);
	memcpy(text + 3, trace, 32);
	text[35] = '-';
	memcpy(text + 36, id, 16);
	memcpy(text + 52, "-01", 3);
	add(h, "ce_id", id, 32);
	add(h, "ce_time", time, TIME_LEN);
	add(h, "ce_traceparent", text, TRACE_LEN);
	if (ev->seq > 0) {
		int n = snprintf(text, sizeof text, "%lld", (long long)ev->seq);

		add(h, "ce_qiaoseq", text, (size_t)n);
	}
	return h;
}

void kafka_kinds_free(struct kafka_kinds *kinds)
{
	for (int i = 0; kinds && i < kinds->count; i++)
		rd_kafka_headers_destroy(kinds->at[i].headers);
	free(kinds);
}

void event_of(const struct kafka_topic *t, const rd_kafka_message_t *m, struct bus_record *out)
{
	rd_kafka_headers_t *h = NULL;
	int64_t place[2] = {m->partition, m->offset};
	struct str parts[] = {STR("foreign record"), str_of(t->topic->name), {(const char *)place, sizeof place}};

	*out = (struct bus_record){.offset = m->offset, .partition = m->partition};
	if (rd_kafka_message_headers(m, &h) == RD_KAFKA_RESP_ERR_NO_ERROR && m->key && read_headers(h, out)) {
		out->event.key = (struct str){m->key, m->key_len};
		out->event.data = (struct str){m->payload ? m->payload : "", m->len};
		return;
	}
	*out = (struct bus_record){.offset = m->offset, .partition = m->partition};
	id_make(&out->event.id, parts, 3);
	out->event.trace = out->event.id;
	out->event.type = STR("");
	out->event.key = (struct str){m->key ? m->key : "", m->key_len};
	out->event.data = (struct str){m->payload ? m->payload : "", m->len};
	out->event.time_ms = rd_kafka_message_timestamp(m, NULL);
}

static rd_kafka_headers_t *constant_headers(const struct kafka *k, struct str type)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(12);
	char text[160];
	int n;

	add(h, "ce_specversion", "1.0", 3);
	add(h, "content-type", "application/avro", 16);
	n = snprintf(text, sizeof text, "/qiao/%s", k->role);
	add(h, "ce_source", text, (size_t)n);
	n = snprintf(text, sizeof text, TYPE_HEAD "%.*s" TYPE_FOOT, (int)type.n, type.p);
	assert(type.n > 0 && type.n < 64);
	add(h, "ce_type", text, (size_t)n);
	if (k->ledger[0])
		add(h, "ce_qiaoledger", k->ledger, strlen(k->ledger));
	return h;
}

static void add(rd_kafka_headers_t *h, const char *name, const char *value, size_t n)
{
	rd_kafka_header_add(h, name, -1, value, (ssize_t)n);
}

static void digits(char *out, int n, int64_t v)
{
	for (; n > 0; n--, v /= 10)
		out[n - 1] = (char)('0' + v % 10);
}

/* 2026-11-25T06:40:00.123Z. Years 1 to 9999: what lies outside becomes the nearest that can be read. */
static void put_time(char out[TIME_LEN], int64_t ms)
{
	int64_t days, rest;
	int year, month, day;

	ms = ms < TIME_MIN ? TIME_MIN : ms > TIME_MAX ? TIME_MAX : ms;
	days = (ms - TIME_MIN) / DAY_MS + TIME_MIN / DAY_MS;
	rest = ms - days * DAY_MS;
	date_split((int)days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000Z", TIME_LEN);
	digits(out, 4, year);
	digits(out + 5, 2, month);
	digits(out + 8, 2, day);
	digits(out + 11, 2, rest / 3600000);
	digits(out + 14, 2, rest / 60000 % 60);
	digits(out + 17, 2, rest / 1000 % 60);
	digits(out + 20, 3, rest % 1000);
}

static int get_time(struct str s, int64_t *ms)
{
	static const char form[] = "0000-00-00T00:00:00.000Z";
	int64_t v[7] = {0};
	int days;

	if (s.n != TIME_LEN)
		return -1;
	for (int i = 0, field = 0; i < TIME_LEN; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (digit != (form[i] == '0') || (!digit && s.p[i] != form[i]))
			return -1;
		if (digit)
			v[field] = v[field] * 10 + s.p[i] - '0';
		else
			field++;
	}
	days = date_of((int)v[0], (int)v[1], (int)v[2]);
	if (days < -1000000 || v[3] > 23 || v[4] > 59 || v[5] > 59)
		return -1;
	*ms = days * DAY_MS + v[3] * 3600000 + v[4] * 60000 + v[5] * 1000 + v[6];
	return 0;
}

static bool read_type(struct str s, struct str *type)
{
	const size_t head = sizeof TYPE_HEAD - 1, foot = sizeof TYPE_FOOT - 1;

	if (s.n <= head + foot || memcmp(s.p, TYPE_HEAD, head) != 0 || memcmp(s.p + s.n - foot, TYPE_FOOT, foot) != 0)
		return false;
	*type = (struct str){s.p + head, s.n - head - foot};
	return utf8_valid(*type);
}

/* false: none of ours. What we do not know is passed over. */
static bool read_headers(rd_kafka_headers_t *h, struct bus_record *out)
{
	bool version = false, id = false, type = false, time = false;
	const char *name;
	const void *value;
	size_t n;

	for (size_t i = 0; rd_kafka_header_get_all(h, i, &name, &value, &n) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
		struct str s = {value, n};

		if (value == NULL)
			continue;
		if (strcmp(name, "ce_specversion") == 0)
			version = str_is(s, "1.0");
		else if (strcmp(name, "ce_id") == 0)
			id = id_parse(&out->event.id, s) == 0;
		else if (strcmp(name, "ce_type") == 0)
			type = read_type(s, &out->event.type);
		else if (strcmp(name, "ce_time") == 0)
			time = get_time(s, &out->event.time_ms) == 0;
		else if (strcmp(name, "ce_traceparent") == 0 && n == TRACE_LEN)
			id_parse(&out->event.trace, (struct str){s.p + 3, 32});
		else if (strcmp(name, "ce_qiaoledger") == 0)
			out->ledger = s;
		else if (strcmp(name, "ce_qiaoseq") == 0)
			str_int(s, 0, INT64_MAX, &out->event.seq);
	}
	return version && id && type && time;
}
