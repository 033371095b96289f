#include <string.h>

#include "check.h"

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"packets", test_packets}, {"reception", test_reception}, {"stream", test_stream},
    {"latch", test_latch},     {"plan", test_plan},           {"ports", test_ports},
    {"random packets", test_random_packets}, {"relay", test_relay},
    {"report", test_report}, {"voices", test_voices},
    {"g722 encode", test_g722_encode}, {"g722 decode", test_g722_decode},
};

int main(int count, char **words)
{
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (count == 2 && strcmp(words[1], tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    fprintf(stderr, "name a test\n");
    return 2;
}
