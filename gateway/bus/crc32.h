/* CRC-32 as in zlib, gzip and PNG (polynomial 0xEDB88320, reflected): what ends a batch. Crc of
 * "123456789" is 0xCBF43926. */
#ifndef QIAO_BUS_CRC32_H
#define QIAO_BUS_CRC32_H
#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *p, size_t n);

#endif
