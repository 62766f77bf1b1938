package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class HandoverTest {
  @Test
  void whatIsLeftIsFetchedByReferenceAsOftenAsAskedFor() {
    long round = Handover.open();
    Object object = new Object();
    long ticket = Handover.leave(round, object);
    assertThat(Handover.fetch(round, ticket)).isSameAs(object);
    assertThat(Handover.fetch(round, ticket)).isSameAs(object);
    Handover.close(round);
  }

  @Test
  void whatIsTakenIsGone() {
    long round = Handover.open();
    Object object = new Object();
    long ticket = Handover.leave(round, object);
    assertThat(Handover.take(round, ticket)).isSameAs(object);
    assertThatThrownBy(() -> Handover.take(round, ticket)).hasMessageContaining("ticket " + ticket);
    Handover.close(round);
  }

  @Test
  void nothingIsKeptOnceARoundHasEnded() {
    long round = Handover.open();
    long ticket = Handover.leave(round, "sums");
    assertThat(Handover.isOpen(round)).isTrue();
    Handover.close(round);
    assertThat(Handover.isOpen(round)).isFalse();
    assertThatThrownBy(() -> Handover.fetch(round, ticket)).hasMessageContaining("has ended");
    assertThatThrownBy(() -> Handover.leave(round, "late")).hasMessageContaining("has ended");
  }
}
