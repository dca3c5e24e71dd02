/* A fuzz target without a fuzzer: the files that are named, once each. For machines that libFuzzer does not run on. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int main(int argc, char **argv)
{
    static uint8_t buffer[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 2;
        }
        size_t size = fread(buffer, 1, sizeof buffer, file);
        fclose(file);
        uint8_t *input = malloc(size + 1);
        if (!input)
            return 2;
        for (size_t k = 0; k < size; k++)
            input[k] = buffer[k];
        LLVMFuzzerTestOneInput(input, size); /* aborts if the engines disagree */
        free(input);
    }
    printf("%d inputs agree\n", argc - 1);
    return 0;
}
