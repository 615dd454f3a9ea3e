/* The configuration: one immutable struct, filled from one INI file by one table (a row a key:
 * section, name, type, default as text, range, unit, one sentence of help).
 *
 * Unknown sections and keys are errors; all errors are reported with their lines, not only the
 * first. Relative paths are relative to the folder of the file. A change is a restart of one
 * program. Secrets are named by path, never written here. Checked as a whole after reading: http://
 * urls only to loopback; a clock file only where every peer is loopback. */
#ifndef QIAO_BASE_CONF_H
#define QIAO_BASE_CONF_H
#include "base/buf.h"
#include "base/ini.h"
#include <stdbool.h>
#include <stdint.h>

#define CONF_PATH 512

enum conf_keys_mode { KEYS_HONOURED, KEYS_NONE };
enum conf_crediting { CREDITING_ADAPTER, CREDITING_CONSUMER };
enum conf_security { SECURITY_TLS, SECURITY_PLAINTEXT };
enum conf_sasl { SASL_NONE, SASL_PLAIN, SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_512 };

/* [tax] and [ssa] */
struct conf_peer {
	char url[CONF_PATH];  /* https://host:port or http://127.0.0.1:port; "" = not configured */
	char ca[CONF_PATH];   /* file of trusted certificates, "" = the system's */
	char cert[CONF_PATH]; /* client certificate and its key, "" = none */
	char key[CONF_PATH];
	int64_t connect_timeout_ms, timeout_ms; /* a request */
	int64_t batch_rows;			/* most rows a request, 1..1000 */
	int64_t feed_interval_ms; /* pause between looks at the change feed when it had nothing */
	int64_t backoff_min_ms, backoff_max_ms; /* after a failed request, with jitter */
	/* that many failures in a row open the breaker (status: open since) */
	int64_t breaker_failures;
	int64_t requests_per_s; /* rate limit; 0 = none */
};

struct conf_kafka {
	char brokers[CONF_PATH]; /* host:port,host:port */
	int64_t security;	 /* enum conf_security; plaintext only to loopback */
	char ca[CONF_PATH], cert[CONF_PATH], key[CONF_PATH];
	int64_t sasl; /* enum conf_sasl */
	char user[128], password_file[CONF_PATH];
	char topic_prefix[64], group_prefix[64];
	int64_t partitions, replication, min_insync; /* of topics that we create */
	/* Further librdkafka properties, "name=value\n" each, as they stand in the file; bus/ judges
	 * them. */
	char properties[2048];
};

struct conf {
	char file[CONF_PATH], dir[CONF_PATH]; /* the file itself and its folder */
	struct {
		char dir[CONF_PATH];
	} data;
	struct {
		char dir[CONF_PATH];
		int64_t level;
	} log; /* dir "" = stderr; enum log_level */
	struct {
		char file[CONF_PATH];
	} clock; /* "" = wall */
	struct {
		char kind[16];
		int64_t retention_days, segment_bytes, poll_min_ms, poll_max_ms;
	} bus; /* kind: local|kafka */
	struct conf_kafka kafka;
	struct {
		struct conf_peer
			peer; /* url without the path; "" = no registry, no framing for one */
		char path[CONF_PATH]; /* of the url, "/apis/ccompat/v7" or "" */
		char user[128], password_file[CONF_PATH], token_file[CONF_PATH];
	} registry;
	struct {
		char policy[CONF_PATH], calendar[CONF_PATH], villages[CONF_PATH];
		bool no_change_known;
	} reference;
	struct {
		char dir[CONF_PATH];
		bool separate_users;
	} keys; /* dir/<role>/... */
	struct {
		char dir[CONF_PATH];
	} operators; /* public keys of who may decide */
	struct {
		int64_t batch_events;	    /* most events a topic a transaction */
		int64_t enquiry_timeout_ms; /* an enquiry unanswered that long is asked again */
		/* a contribution missing is asked for again after that */
		int64_t contribution_retry_ms;
		int64_t doubt_enquiry_ms; /* a payment in doubt is asked for after that */
		/* an instructed payment without any answer is asked for after that */
		int64_t answer_timeout_ms;
		/* a submission not closed in that time is answered incomplete */
		int64_t incomplete_after_ms;
		int64_t reject_share; /* percent of an input's recent events; more rejected: it stops */
		int64_t cache_kib; /* SQLite page cache of the ledger */
		int64_t crediting; /* enum conf_crediting */
		int64_t cut_at_ms; /* when a civil day ends, after its 00:00 */
		bool stand_by;	   /* waits while another one is at work */
	} gateway;
	struct {
		char inbox[CONF_PATH]; /* default data/inbox: <inbox>/<sender>/ */
		int64_t poll_ms;       /* between two looks at the drop folder */
		int64_t file_bytes_max, rows_max;
		int64_t answer_interval_ms; /* an answer file is rewritten at most that often */
		char group[40];		    /* reads the answers for this spool */
	} village;
	struct conf_peer tax, ssa;
	struct {
		int64_t keys; /* enum conf_keys_mode: does the peer honour idempotency keys */
		int64_t key_window_ms;	     /* for how long it does */
		int64_t settlement_delay_ms; /* after that, "unknown" means it never happened */
	} tax_terms;			     /* section [tax] too */
	struct {
		char programs[200];
		int64_t backoff_min_ms, backoff_max_ms, stop_timeout_ms, hang_timeout_ms;
	} run;
};

/* 0, or -1 with all complaints, never only the first. No such file: a complaint on line 0. */
int conf_load(struct conf *c, const char *file, struct complaints *why);
/* The same from memory. */
int conf_parse(struct conf *c, const char *file, struct str text, struct complaints *why);
int conf_reference(struct buf *out); /* the commented reference: exactly config/qiao.ini */
bool conf_is_loopback(const char *url);

#endif
