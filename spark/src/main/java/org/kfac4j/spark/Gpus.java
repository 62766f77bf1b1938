package org.kfac4j.spark;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Gpu;

/** The GPUs of this process, by the addresses that Spark's discovery script gave them. */
final class Gpus {
  /** What Spark calls GPUs. */
  static final String RESOURCE = "gpu";

  /** Opened once each, or found to be of no use once each. */
  private static final Map<String, Found> FOUND = new HashMap<>();

  /**
   * @param gpu null if it cannot be used
   * @param failure why not, in one line
   */
  record Found(@Nullable Gpu gpu, String failure) {}

  private Gpus() {}

  /** What a device's address leads to. */
  static Found at(String address) {
    synchronized (FOUND) {
      return FOUND.computeIfAbsent(address, Gpus::open);
    }
  }

  private static Found open(String address) {
    if (!address.matches("\\d{1,9}")) {
      return new Found(null, "the address " + address + " is not a device's number");
    }
    try {
      return new Found(Gpu.cuda(Integer.parseInt(address)), "");
    } catch (IllegalStateException e) {
      return new Found(null, String.valueOf(e.getMessage()));
    }
  }

  /**
   * Addresses that the running task was given.
   *
   * @param ofDriver those of an application that is one process, where tasks are given none
   */
  static List<String> ofTask(List<String> ofDriver) {
    TaskContext task = TaskContext.get();
    if (task == null) {
      return ofDriver;
    }
    if (task.resources().contains(RESOURCE)) {
      return Arrays.asList(task.resources().apply(RESOURCE).addresses());
    }
    return ofDriver.isEmpty()
        ? List.of()
        : List.of(ofDriver.get(task.partitionId() % ofDriver.size()));
  }
}
