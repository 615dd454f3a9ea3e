/* Names and numbers as a list for everybody's eyes may show them (domain.md 6). Pure. */
#ifndef QIAO_DOMAIN_MASK_H
#define QIAO_DOMAIN_MASK_H
#include "base/str.h"

enum { MASKED_NAME = 256, MASKED_ID = 32 };
/* The first character, and from three on the last one; stars for the others: 仲*, 仲*妮, 仲**妮. One character alone is a star. A name
 * that is no UTF-8 or too long is a star. */
void mask_name(char out[MASKED_NAME], struct str name);
/* The first three and the last three places, stars for the others; of less than ten places nothing but stars is shown. */
void mask_id(char out[MASKED_ID], struct str number);

#endif
