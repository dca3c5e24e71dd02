/* Addresses as people write them, where they are written plainly. */
#ifndef FWK_ADDRESSES_H
#define FWK_ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

/* A dotted IPv4 address without leading zeros; -1 if it is none. */
int64_t fwk_address4(const char *text, size_t size);

/* An IPv6 address of hexadecimal groups and at most one `::`; 0 if it is none, or has another form. */
int fwk_address6(const char *text, size_t size, uint8_t out[16]);

#endif
