/* TEMPORARY: lets the tree link until kafka.c, kafka_write.c, kafka_read.c, kafka_group.c and kafka_topics.c are there. Whoever adds
 * one of them removes its functions here; the last one removes this file and its name in the Makefile. */
#include "bus/kafka.h"
#include <stdlib.h>
int kafka_open(struct kafka **o, const struct bus_options *p, struct err *e){(void)o;(void)p;(void)e;abort();}
void kafka_close(struct kafka *k){(void)k;abort();}
void kafka_set_ledger(struct kafka *k, const char *l){(void)k;(void)l;abort();}
int kafka_init(const struct bus_options *o, struct err *e){(void)o;(void)e;abort();}
int kafka_partitions(struct kafka *k, const char *t){(void)k;(void)t;abort();}
int kafka_partition_of(struct kafka *k, const char *t, struct str y){(void)k;(void)t;(void)y;abort();}
int kafka_publish(struct kafka *k, const char *t, int p, const struct bus_event *ev, struct err *e){(void)k;(void)t;(void)p;(void)ev;(void)e;abort();}
int kafka_flush(struct kafka *k, struct err *e){(void)k;(void)e;abort();}
int kafka_reader_open(struct kafka *k, struct kafka_reader **o, const char *t, const char *g, bool a, struct err *e){(void)k;(void)o;(void)t;(void)g;(void)a;(void)e;abort();}
void kafka_reader_close(struct kafka_reader *r){(void)r;abort();}
int kafka_seek(struct kafka_reader *r, const struct bus_position *a, int c, struct err *e){(void)r;(void)a;(void)c;(void)e;abort();}
int kafka_read(struct kafka_reader *r, int m, const struct bus_record **x, struct err *e){(void)r;(void)m;(void)x;(void)e;abort();}
int kafka_tell(const struct kafka_reader *r, struct bus_position *o){(void)r;(void)o;abort();}
unsigned kafka_shares(const struct kafka_reader *r, struct bus_share *o, int *c){(void)r;(void)o;(void)c;abort();}
int kafka_store_position(struct kafka_reader *r, struct err *e){(void)r;(void)e;abort();}
void kafka_note_position(struct kafka_reader *r, const char *g){(void)r;(void)g;abort();}
int kafka_last(struct kafka *k, const char *t, int p, struct bus_record *o, struct err *e){(void)k;(void)t;(void)p;(void)o;(void)e;abort();}
int kafka_last_of(struct kafka *k, const char *t, struct str y, struct bus_record *o, struct err *e){(void)k;(void)t;(void)y;(void)o;(void)e;abort();}
int kafka_lags(const struct bus_options *o, struct bus_lag *l, int m, int *c, struct err *e){(void)o;(void)l;(void)m;(void)c;(void)e;abort();}
