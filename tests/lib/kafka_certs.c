/* Certificates for a test's brokers and their clients, by the openssl command: what an operator would
 * type. Ten years, so that a test under another clock can use them. */
#include "base/fs.h"
#include "tests/lib/kafka.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEY "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"
#define DAYS "-days", "3650"

static int sign(const char *dir, const char *name, const char *use, struct err *e);

int certs_make(const char *dir, struct err *e)
{
	static const char *const authority[] = {
		"openssl", "req",    "-x509", KEY,	DAYS, "-subj", "/CN=test authority",
		"-keyout", "ca.key", "-out",  "ca.pem", NULL};
	static const char *const pack[] = {
		"openssl",    "pkcs12", "-export",    "-in",	  "broker.pem",		 "-inkey",
		"broker.key", "-out",	"broker.p12", "-passout", "pass:" CERT_PASSWORD, NULL};

	if (fs_mkdirs(dir, e) < 0 || java_run(dir, authority, e) < 0)
		return -1;
	if (sign(dir, "broker", "subjectAltName=IP:127.0.0.1,DNS:localhost", e) < 0)
		return -1;
	return java_run(dir, pack, e);
}

int certs_client(const char *dir, const char *name, struct err *e)
{
	return sign(dir, name, "extendedKeyUsage=clientAuth", e);
}

/* Key and certificate in one step: openssl 3.0 signs with another's key only what it is asked for, so
 * first the request, then the answer. */
static int sign(const char *dir, const char *name, const char *use, struct err *e)
{
	char subject[80], key[80], request[80], pem[80], extension[80], path[400];

	snprintf(subject, sizeof subject, "/CN=%.60s", name);
	snprintf(key, sizeof key, "%.60s.key", name);
	snprintf(request, sizeof request, "%.60s.req", name);
	snprintf(pem, sizeof pem, "%.60s.pem", name);
	snprintf(extension, sizeof extension, "%.60s.ext", name);
	snprintf(path, sizeof path, "%.250s/%s", dir, extension);
	if (fs_write_atomic(path, use, strlen(use), 0600, e) < 0)
		return -1;
	const char *const ask[] = {"openssl", "req", "-new", KEY,     "-subj", subject,
				   "-keyout", key,   "-out", request, NULL};
	const char *const give[] = {"openssl", "x509",	   "-req",    "-in",	request,
				    "-CA",     "ca.pem",   "-CAkey",  "ca.key", "-CAcreateserial",
				    DAYS,      "-extfile", extension, "-out",	pem,
				    NULL};

	if (java_run(dir, ask, e) < 0 || java_run(dir, give, e) < 0)
		return -1;
	snprintf(path, sizeof path, "%.250s/%s", dir, key);
	chmod(path, 0600);
	snprintf(path, sizeof path, "%.250s/%s", dir, pem);
	chmod(path, 0600);
	return 0;
}
