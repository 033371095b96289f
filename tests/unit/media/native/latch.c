#include "latch.h"

#include "check.h"

static union address at(const char *host, uint16_t port)
{
    union address address;
    CHECK(address_read(&address, host, port));
    return address;
}

static bool admit(struct latch *latch, const char *host, uint16_t port)
{
    union address source = at(host, port);
    return latch_admit(latch, &source);
}

static void announce(struct latch *latch, const char *host, uint16_t port, const char *trusted)
{
    union address announced = at(host, port), other = at(trusted ? trusted : "192.0.2.99", 0);
    latch_announce(latch, &announced, &other, trusted != NULL);
}

static bool sends_to(const struct latch *latch, const char *host, uint16_t port)
{
    union address wanted = at(host, port);
    const union address *target = latch_target(latch);
    return target && address_is_equal(target, &wanted);
}

static void nobody_comes_in_before_an_announcement(void)
{
    struct latch latch = {0};
    CHECK(!admit(&latch, "192.0.2.1", 4000) && !latch_target(&latch));
}

static void the_first_allowed_source_locks(void)
{
    struct latch latch = {0};
    announce(&latch, "192.0.2.1", 4000, "203.0.113.5");
    CHECK(sends_to(&latch, "192.0.2.1", 4000));
    CHECK(!admit(&latch, "198.51.100.1", 4000));
    CHECK(admit(&latch, "203.0.113.5", 61000));
    CHECK(sends_to(&latch, "203.0.113.5", 61000));
    CHECK(!admit(&latch, "203.0.113.5", 61001) && !admit(&latch, "192.0.2.1", 4001));
    CHECK(admit(&latch, "192.0.2.1", 4000)); /* the announced address itself corrects a guess */
    CHECK(!admit(&latch, "203.0.113.5", 61000) && sends_to(&latch, "192.0.2.1", 4000));
}

static void a_changed_announcement_opens_again(void)
{
    struct latch latch = {0};
    announce(&latch, "192.0.2.1", 4000, NULL);
    CHECK(admit(&latch, "192.0.2.1", 4000));
    announce(&latch, "192.0.2.1", 4000, NULL);
    CHECK(!admit(&latch, "192.0.2.1", 5000));
    announce(&latch, "192.0.2.1", 5000, NULL);
    CHECK(sends_to(&latch, "192.0.2.1", 5000));
    CHECK(admit(&latch, "192.0.2.1", 4000) && sends_to(&latch, "192.0.2.1", 5000));
    CHECK(admit(&latch, "192.0.2.1", 5000) && !admit(&latch, "192.0.2.1", 4000));
}

static void a_former_source_that_stays_is_locked_again(void)
{
    struct latch latch = {0};
    announce(&latch, "192.0.2.1", 4000, "203.0.113.5");
    CHECK(admit(&latch, "203.0.113.5", 61000));
    announce(&latch, "192.0.2.1", 5000, "203.0.113.5");
    for (int i = 0; i < 25; i++)
        CHECK(admit(&latch, "203.0.113.5", 61000) && latch.state == LATCH_OPEN);
    CHECK(admit(&latch, "203.0.113.5", 61000) && sends_to(&latch, "203.0.113.5", 61000));
}

static void a_former_source_that_is_no_longer_allowed_ends(void)
{
    struct latch latch = {0};
    announce(&latch, "192.0.2.1", 4000, NULL);
    CHECK(admit(&latch, "192.0.2.1", 4000));
    announce(&latch, "198.51.100.7", 4000, NULL);
    int admitted = 0;
    while (admit(&latch, "192.0.2.1", 4000))
        CHECK(++admitted < 100);
    CHECK(latch.state == LATCH_OPEN && admit(&latch, "198.51.100.7", 4000));
}

static void the_loss_of_the_locked_host_opens_again(void)
{
    struct latch latch = {0};
    announce(&latch, "10.0.0.8", 4000, "203.0.113.5");
    CHECK(admit(&latch, "203.0.113.5", 61000));
    announce(&latch, "10.0.0.8", 4000, "203.0.113.5");
    CHECK(!admit(&latch, "203.0.113.5", 62000));
    announce(&latch, "10.0.0.8", 4000, "198.51.100.7"); /* the same phone behind another NAT */
    CHECK(!admit(&latch, "192.0.2.66", 4000));
    CHECK(admit(&latch, "203.0.113.5", 61000) && sends_to(&latch, "10.0.0.8", 4000));
    CHECK(admit(&latch, "198.51.100.7", 50000) && sends_to(&latch, "198.51.100.7", 50000));
    CHECK(!admit(&latch, "203.0.113.5", 61000));
}

static void port_nought_and_the_wildcard_get_nothing(void)
{
    struct latch latch = {0};
    announce(&latch, "192.0.2.1", 0, NULL);
    CHECK(!latch_target(&latch));
    announce(&latch, "0.0.0.0", 4000, NULL);
    CHECK(!latch_target(&latch));
    announce(&latch, "::", 4000, NULL);
    CHECK(!latch_target(&latch));
    announce(&latch, "2001:db8::1", 4000, NULL);
    CHECK(admit(&latch, "2001:db8::1", 4002) && !admit(&latch, "192.0.2.1", 4002));
    CHECK(sends_to(&latch, "2001:db8::1", 4002));
}

static void rtcp_may_come_from_where_rtp_comes(void)
{
    struct latch rtp = {0}, rtcp = {0};
    union address source = at("203.0.113.5", 61001);
    announce(&rtp, "192.0.2.1", 4000, "203.0.113.5");
    announce(&rtcp, "192.0.2.1", 4001, NULL);
    CHECK(!latch_admit_beside(&rtcp, &source, &rtp));
    CHECK(admit(&rtp, "203.0.113.5", 61000));
    CHECK(latch_admit_beside(&rtcp, &source, &rtp) && sends_to(&rtcp, "203.0.113.5", 61001));
}

void test_latch(void)
{
    nobody_comes_in_before_an_announcement();
    the_first_allowed_source_locks();
    a_changed_announcement_opens_again();
    a_former_source_that_stays_is_locked_again();
    a_former_source_that_is_no_longer_allowed_ends();
    the_loss_of_the_locked_host_opens_again();
    port_nought_and_the_wildcard_get_nothing();
    rtcp_may_come_from_where_rtp_comes();
}
