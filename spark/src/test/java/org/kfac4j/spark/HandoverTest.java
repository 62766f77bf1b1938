package org.kfac4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;
import org.kfac4j.curvature.Sums;

class HandoverTest {
  @Test
  void sumsGoByReferenceWithinAProcess() throws Exception {
    long round = Handover.open();
    byte[] bytes = bytes(Partial.empty(round).merge(sums()));
    assertThat(bytes.length).isLessThan(1000);
    assertThat(read(bytes).sums().mean("gradient", 1)).isEqualTo(expected());
    Handover.close(round);
  }

  @Test
  void sumsAreSerializedBetweenProcesses() throws Exception {
    byte[] bytes = bytes(Partial.empty(Partial.SERIALIZED).merge(sums()));
    assertThat(bytes.length).isGreaterThan(4 * expected().length);
    assertThat(read(bytes).sums().mean("gradient", 1)).isEqualTo(expected());
  }

  @Test
  void aTicketServesARetriedTaskWithWhatWasLeft() throws Exception {
    long round = Handover.open();
    byte[] bytes = bytes(Partial.empty(round).merge(sums()).merge(sums()));
    double[] first = read(bytes).merge(sums()).merge(sums()).sums().mean("gradient", 1);
    double[] again = read(bytes).merge(sums()).merge(sums()).sums().mean("gradient", 1);
    assertThat(again).isEqualTo(first);
    assertThat(first[7]).isEqualTo(4 * expected()[7]);
    Handover.close(round);
  }

  @Test
  void nothingIsKeptOnceARoundHasEnded() throws Exception {
    long round = Handover.open();
    byte[] bytes = bytes(Partial.empty(round).merge(sums()));
    Handover.close(round);
    assertThatThrownBy(() -> read(bytes)).hasMessageContaining("has ended");
    assertThatThrownBy(() -> Handover.leave(round, "late")).hasMessageContaining("has ended");
  }

  private static Sums sums() {
    Sums sums = new Sums();
    float[] gradient = new float[10_000];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = i * 0.25f;
    }
    sums.put("gradient", gradient);
    return sums;
  }

  private static double[] expected() {
    return sums().mean("gradient", 1);
  }

  private static byte[] bytes(Object object) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
    }
    return bytes.toByteArray();
  }

  private static Partial read(byte[] bytes) throws IOException, ClassNotFoundException {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return (Partial) in.readObject();
    }
  }
}
